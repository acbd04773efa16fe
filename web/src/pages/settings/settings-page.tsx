/** Settings: keys, who changed what, and the settings of the server. */
import { Tabs } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { usePermission } from '../../api/session.ts';
import { NotAllowed } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import { AuditTab } from './audit-tab.tsx';
import { KeysTab } from './keys-tab.tsx';
import { ValuesTab } from './values-tab.tsx';

/** The page; its tab is in the address. Keys and audit are for admins. */
export function SettingsPage() {
  const may = usePermission('admin');
  const { tab = may.allowed ? 'keys' : 'values' } = useSearch({ from: '/shell/settings' });
  const navigate = useNavigate();
  return (
    <Page title="Settings">
      <Tabs
        value={tab}
        onChange={(next) => void navigate({ to: '/settings', search: { tab: (next ?? 'keys') as 'keys' | 'audit' | 'values' } })}
      >
        <Tabs.List>
          <Tabs.Tab value="keys">Keys</Tabs.Tab>
          <Tabs.Tab value="audit">Audit</Tabs.Tab>
          <Tabs.Tab value="values">Settings of the server</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="keys" pt="md">
          {may.why === null ? <KeysTab /> : <NotAllowed what="The list of keys" why={may.why} />}
        </Tabs.Panel>
        <Tabs.Panel value="audit" pt="md">
          {may.why === null ? <AuditTab /> : <NotAllowed what="The audit" why={may.why} />}
        </Tabs.Panel>
        <Tabs.Panel value="values" pt="md">
          <ValuesTab />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
