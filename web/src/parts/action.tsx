/** A button that says why it is disabled instead of disappearing. */
import { Button, type ButtonProps, Tooltip } from '@mantine/core';

interface ActionProps extends Pick<ButtonProps, 'variant' | 'color' | 'leftSection' | 'loading' | 'size'> {
  readonly children: React.ReactNode;
  readonly onClick: () => void;
  /** Why it is disabled, e.g. `You look with a viewer key`; null or missing: it is enabled. */
  readonly disabledReason?: string | null;
  /** For screen readers, if the text alone is unclear. */
  readonly label?: string;
}

/** A button; with a reason it is disabled (and still reachable by keyboard), and the reason is its tooltip. */
export function Action({ children, onClick, disabledReason = null, label, variant = 'default', ...rest }: ActionProps) {
  const disabled = disabledReason !== null;
  const button = (
    <Button
      variant={variant}
      {...rest}
      aria-label={label}
      {...(disabled ? { 'data-disabled': true, 'aria-disabled': true } : {})}
      onClick={disabled ? (event) => event.preventDefault() : onClick}
    >
      {children}
    </Button>
  );
  return disabled ? <Tooltip label={disabledReason}>{button}</Tooltip> : button;
}
