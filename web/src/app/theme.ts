import { createTheme, type CSSVariablesResolver } from '@mantine/core'

export const theme = createTheme({
  fontFamily: "'Inter Variable', 'Inter Stand-in', system-ui, sans-serif",
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  primaryColor: 'canopy',
  primaryShade: { light: 7, dark: 7 },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  colors: {
    dark: ['#eef1f5', '#b9c2cd', '#9ea9b6', '#5f6b7a', '#3a434f', '#2f3742', '#1d242d', '#171c23', '#0f141a', '#0a0e13'],
    canopy: ['#eef3fd', '#dbe5fa', '#b6caf4', '#8dabec', '#6b90e5', '#537ddd', '#4370d4', '#345fc4', '#2a4fa8', '#203e86'],
  },
})

// Mantine's own surfaces follow the tokens.
export const variables: CSSVariablesResolver = () => {
  const shared = {
    '--mantine-color-body': 'var(--surface)',
    '--mantine-color-text': 'var(--ink)',
    '--mantine-color-dimmed': 'var(--ink-3)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-hover': 'var(--inset)',
    '--mantine-color-default-color': 'var(--ink)',
    '--mantine-color-default-border': 'var(--line)',
    '--mantine-color-placeholder': 'var(--ink-3)',
    '--mantine-color-error': 'var(--bad-ink)',
    '--mantine-color-anchor': 'var(--accent-ink)',
    '--mantine-radius-md': 'var(--radius)',
  }
  return { variables: {}, light: shared, dark: shared }
}
