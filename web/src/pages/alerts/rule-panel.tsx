/** One rule: condition, actions, and the history of its firings. */
import { useQuery } from '@tanstack/react-query';
import type { AlertRule } from '../../../../src/model/alerts/rule.ts';
import { actionText, conditionText } from '../../../../src/model/alerts/words.ts';
import { ruleFiringsQuery } from '../../api/alert-queries.ts';
import { Action } from '../../parts/action.tsx';
import { durationText } from '../../parts/format.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './alerts.module.css';
import { FiringsTable } from './firings-table.tsx';

interface RulePanelProps {
  readonly rule: AlertRule;
  readonly deeds: React.ReactNode;
  readonly onClose: () => void;
}

const groupings = { deployment: 'a deployment, or a flow without one', flow: 'a flow', rule: 'all that it finds' } as const;

export function RulePanel({ rule, deeds, onClose }: RulePanelProps) {
  const query = useQuery(ruleFiringsQuery(rule.name));
  const { name, description, pausedAt, origin, declaredIn, updatedAt } = rule;
  const { condition, by, repeatMs, sendsResolved, actions } = rule.rule;
  const facts: readonly (readonly [string, React.ReactNode])[] = [
    ['When', conditionText(condition)],
    ...scopesOf(rule),
    ['Actions', actions.length === 0 ? 'none' : actions.map(actionText).join(' · ')],
    ['One alert is about', groupings[by]],
    ['Repeated', repeatMs === null ? 'never' : repeatMs === 0 ? 'for each occurrence' : `after ${durationText(repeatMs)}`],
    ['When it is over', sendsResolved ? 'sent' : 'not sent'],
    ['Declared in', origin === 'hand' ? 'the dashboard, the API or the command line' : (declaredIn ?? 'the configuration file')],
    ['Changed', <Time key="changed" at={updatedAt} />],
  ];
  return (
    <Panel
      title={
        <>
          {name} {pausedAt === null ? null : <span className={table.soft}>paused</span>}
        </>
      }
      aside={
        <>
          {deeds}
          <Action size="compact-xs" onClick={onClose}>
            Close
          </Action>
        </>
      }
    >
      {description === null ? null : <p className={style.about}>{description}</p>}
      <dl className={style.facts}>
        {facts.map(([term, fact]) => (
          <div key={term} className={style.fact}>
            <dt>{term}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
      </dl>
      <Loaded query={query} what="The history of the rule" rows={2}>
        {(firings) =>
          firings.length === 0 ? (
            <p className={style.about}>It has not fired yet. Test sends a message to all that it tells, and has nothing else done.</p>
          ) : (
            <FiringsTable firings={firings} showsAbout />
          )
        }
      </Loaded>
    </Panel>
  );
}

function scopesOf({ rule: { deployments, flows, tags, queues } }: AlertRule): readonly (readonly [string, string])[] {
  const all = [
    ['Deployments', deployments],
    ['Flows', flows],
    ['Tags', tags],
    ['Queues', queues],
  ] as const;
  return all.flatMap(([term, names]) => (names.length === 0 ? [] : [[term, names.join(', ')] as const]));
}
