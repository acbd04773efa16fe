/** Assembles and renders the dashboard. */
import { MantineProvider } from '@mantine/core';
import '@mantine/core/styles.layer.css';
import '@mantine/notifications/styles.layer.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './theme/tokens.css';
import './theme/base.css';
import { queryClient } from './api/query-client.ts';
import { meQuery } from './api/session.ts';
import { router } from './router.tsx';
import { colorSchemeManager, theme } from './theme/theme.ts';

// The viewer is fetched while the page is still loading; the frame waits for the answer.
void queryClient.query(meQuery).catch(() => undefined);

const place = document.getElementById('app');
if (place === null) throw new Error('index.html has no element #app.');

createRoot(place).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemeManager}
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
