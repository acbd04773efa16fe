/** Dark, light, or as the system says. */
import { ActionIcon, Tooltip, useMantineColorScheme } from '@mantine/core';
import { Icon } from '../parts/icon.tsx';

const next = { auto: 'light', light: 'dark', dark: 'auto' } as const;
const icons = { auto: 'screen', light: 'sun', dark: 'moon' } as const;
const words = { auto: 'as the system says', light: 'light', dark: 'dark' } as const;

/** Goes round between the three. */
export function SchemeSwitch() {
  // Without this option Mantine would write a <style> element, which the page's policy refuses.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <Tooltip label={`Colours: ${words[colorScheme]}`}>
      <ActionIcon
        aria-label={`Colours: ${words[colorScheme]}. Change to ${words[next[colorScheme]]}`}
        onClick={() => setColorScheme(next[colorScheme])}
      >
        <Icon name={icons[colorScheme]} />
      </ActionIcon>
    </Tooltip>
  );
}
