/** The deployments of a flow. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { deploymentsQuery } from '../../api/deployment-queries.ts';
import { Panel } from '../../parts/page.tsx';
import { DeploymentTable } from '../deployments/deployment-table.tsx';

/** Nothing where there is none. */
export function DeploymentsOf({ flow }: { readonly flow: string }) {
  const { data } = useInfiniteQuery(deploymentsQuery({ flow }));
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  if (items.length === 0) return null;
  return (
    <Panel title="Deployments" aside={items.length}>
      <DeploymentTable deployments={items} withFlow={false} />
    </Panel>
  );
}
