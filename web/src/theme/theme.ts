/** The Mantine theme. Colours and sizes are in tokens.css; here is only what needs script. */
import { createTheme, defaultVariantColorsResolver, localStorageColorSchemeManager } from '@mantine/core';

/** Stores the choice between dark, light and the system's scheme; `public/scheme.js` reads the same key. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: 'batuta-color-scheme' });

/** Dense controls, one radius. Scroll locks are off, as they use a <style> element, which the page's CSP refuses. */
export const theme = createTheme({
  primaryColor: 'blue',
  defaultRadius: 'var(--radius)',
  cursorType: 'pointer',
  respectReducedMotion: true,
  // Mantine uses white text on filled controls; the dark mode's accent is light and needs dark text.
  variantColorResolver: (input) => {
    const colors = defaultVariantColorsResolver(input);
    if (input.variant !== 'filled') return colors;
    return { ...colors, color: input.color === 'red' ? 'var(--on-danger)' : 'var(--on-accent)' };
  },
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 28 } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', comboboxProps: { shadow: 'md' } } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    TagsInput: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'xs' } },
    Tabs: { defaultProps: { keepMounted: false } },
    Menu: { defaultProps: { shadow: 'md', transitionProps: { duration: 80 } } },
    Popover: { defaultProps: { shadow: 'md', transitionProps: { duration: 80 } } },
    Modal: {
      defaultProps: {
        lockScroll: false,
        centered: true,
        transitionProps: { duration: 80 },
        overlayProps: { backgroundOpacity: 0.4 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
    },
    Drawer: { defaultProps: { lockScroll: false, transitionProps: { duration: 80 }, overlayProps: { backgroundOpacity: 0.4 } } },
    Tooltip: {
      defaultProps: {
        withArrow: true,
        openDelay: 250,
        transitionProps: { duration: 80 },
        events: { hover: true, focus: true, touch: true },
      },
    },
  },
});
