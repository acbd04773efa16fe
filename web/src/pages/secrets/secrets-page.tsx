/** Secrets, variables and connections: what flows read by name. */
import { Tabs } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Page } from '../../parts/page.tsx';
import { ConnectionsTab } from './connections-tab.tsx';
import { SecretsTab } from './secrets-tab.tsx';
import { VariablesTab } from './variables-tab.tsx';

/** The page; its tab is in the address. */
export function SecretsPage() {
  const { tab = 'secrets' } = useSearch({ from: '/shell/secrets' });
  const navigate = useNavigate();
  return (
    <Page title="Secrets and connections">
      <Tabs value={tab} onChange={(next) => void navigate({ to: '/secrets', search: { tab: (next ?? 'secrets') as typeof tab } })}>
        <Tabs.List>
          <Tabs.Tab value="secrets">Secrets</Tabs.Tab>
          <Tabs.Tab value="variables">Variables</Tabs.Tab>
          <Tabs.Tab value="connections">Connections</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="secrets" pt="md">
          {tab === 'secrets' ? <SecretsTab /> : null}
        </Tabs.Panel>
        <Tabs.Panel value="variables" pt="md">
          {tab === 'variables' ? <VariablesTab /> : null}
        </Tabs.Panel>
        <Tabs.Panel value="connections" pt="md">
          {tab === 'connections' ? <ConnectionsTab /> : null}
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
