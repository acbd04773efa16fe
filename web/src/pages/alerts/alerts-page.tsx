/** Alerts with their deliveries, grouped errors, and rules. */
import { Tabs } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Page } from '../../parts/page.tsx';
import style from './alerts.module.css';
import { AlertPanel } from './alert-panel.tsx';
import { AlertsTab } from './alerts-tab.tsx';
import { ErrorsTab } from './errors-tab.tsx';
import { RulesTab } from './rules-tab.tsx';

/** The page; its tab and the open alert are in the address. */
export function AlertsPage() {
  const { tab = 'alerts', show, alert, rule } = useSearch({ from: '/shell/alerts' });
  const navigate = useNavigate({ from: '/alerts' });
  const shown = show === 'all' ? ({ show } as const) : {};
  const choose = (all: boolean): void => void navigate({ search: { tab, ...(all ? { show: 'all' as const } : {}) } });
  const open = (id: string | undefined): void => void navigate({ search: { ...shown, ...(id === undefined ? {} : { alert: id }) } });
  return (
    <Page title="Alerts">
      <Tabs value={tab} onChange={(next) => void navigate({ search: { tab: (next ?? 'alerts') as typeof tab } })}>
        <Tabs.List>
          <Tabs.Tab value="alerts">Alerts</Tabs.Tab>
          <Tabs.Tab value="errors">Errors</Tabs.Tab>
          <Tabs.Tab value="rules">Rules and silences</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="alerts" pt="md">
          {tab === 'alerts' ? (
            <div className={style.tab}>
              {alert === undefined ? null : <AlertPanel id={alert} onClose={() => open(undefined)} />}
              <AlertsTab showsAll={show === 'all'} onShow={choose} onOpen={open} />
            </div>
          ) : null}
        </Tabs.Panel>
        <Tabs.Panel value="errors" pt="md">
          {tab === 'errors' ? <ErrorsTab showsAll={show === 'all'} onShow={choose} /> : null}
        </Tabs.Panel>
        <Tabs.Panel value="rules" pt="md">
          {tab === 'rules' ? (
            <RulesTab open={rule} onOpen={(name) => void navigate({ search: { tab, ...(name === undefined ? {} : { rule: name }) } })} />
          ) : null}
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
