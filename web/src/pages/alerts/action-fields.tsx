/** Actions of an alert when it fires, each with its own fields. */
import { ActionIcon, Autocomplete, Button, Menu, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { AlertActionKind } from '../../../../src/model/alerts/rule.ts';
import { facetsQuery } from '../../api/list-queries.ts';
import { secretsQuery } from '../../api/secret-queries.ts';
import type { FieldErrors } from '../../form/form-values.ts';
import { Icon } from '../../parts/icon.tsx';
import formStyle from '../../form/params-form.module.css';
import { type ActionDraft, emptyAction, type RuleDraft } from './rule-draft.ts';
import { roomsOf } from './rule-spec.ts';
import style from './rule-form.module.css';

const kinds: Readonly<Record<AlertActionKind, string>> = {
  email: 'E-mail',
  slack: 'Slack',
  webhook: 'Webhook',
  run: 'Run a deployment',
  cancel: 'Cancel the run',
  pause: 'Pause the deployment',
};
const mostActions = 10;

interface ActionFieldsProps {
  readonly draft: RuleDraft;
  readonly errors: FieldErrors;
  readonly set: (changes: Partial<RuleDraft>) => void;
}

/** The list, and a menu that adds to it. */
export function ActionFields({ draft, errors, set }: ActionFieldsProps) {
  const { actions } = draft;
  const rooms = roomsOf(draft);
  const change = (key: number, changes: Partial<ActionDraft>): void =>
    set({ actions: actions.map((action) => (action.key === key ? { ...action, ...changes } : action)) });
  const add = (kind: AlertActionKind): void =>
    set({ actions: [...actions, emptyAction(kind, Math.max(0, ...actions.map(({ key }) => key)) + 1)] });
  const reasons: Partial<Record<AlertActionKind, string | null>> = {
    cancel: rooms.cancel ? null : 'for a run that is late or takes long',
    pause: rooms.pause ? null : 'for what is about runs',
  };
  return (
    <fieldset className={style.actions}>
      <legend>What is done</legend>
      {actions.length === 0 ? <p className={style.hint}>Nothing yet: what it finds is listed under Alerts, and nobody is told.</p> : null}
      {actions.map((action, at) => (
        <div key={action.key} className={style.action} role="group" aria-label={`${kinds[action.kind]}, ${at + 1} of ${actions.length}`}>
          <header>
            <strong>{kinds[action.kind]}</strong>
            <ActionIcon
              aria-label={`Remove ${kinds[action.kind]}`}
              onClick={() => set({ actions: actions.filter(({ key }) => key !== action.key) })}
            >
              <Icon name="close" />
            </ActionIcon>
          </header>
          <OneAction action={action} field={`send.${at}`} errors={errors} onChange={(changes) => change(action.key, changes)} />
          {errors[`send.${at}`] === undefined ? null : (
            <p role="alert" className={style.failure}>
              {errors[`send.${at}`]}
            </p>
          )}
        </div>
      ))}
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="default" className={style.adder ?? ''} disabled={actions.length >= mostActions}>
            Add an action
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {(Object.keys(kinds) as AlertActionKind[]).map((kind) => {
            const reason = reasons[kind] ?? null;
            return (
              <Menu.Item key={kind} disabled={reason !== null} onClick={() => add(kind)}>
                {kinds[kind]}
                {reason === null ? null : <span className={style.hint}> {reason}</span>}
              </Menu.Item>
            );
          })}
        </Menu.Dropdown>
      </Menu>
      {errors['send'] === undefined ? null : (
        <p role="alert" className={style.failure}>
          {errors['send']}
        </p>
      )}
    </fieldset>
  );
}

interface OneActionProps {
  readonly action: ActionDraft;
  /** Path of the field, `send.0`. */
  readonly field: string;
  readonly errors: FieldErrors;
  readonly onChange: (changes: Partial<ActionDraft>) => void;
}

function OneAction({ action, field, errors, onChange }: OneActionProps) {
  const { data: secrets = [] } = useQuery(secretsQuery);
  const { data: facets } = useQuery(facetsQuery);
  const secret = (part: 'secret' | 'slack', label: string, description: string, required: boolean) => (
    <Autocomplete
      size="xs"
      label={label}
      description={description}
      data={secrets.map(({ name }) => name)}
      value={action.secret}
      error={errors[`${field}.${part}`]}
      required={required}
      onChange={(name) => onChange({ secret: name })}
    />
  );
  switch (action.kind) {
    case 'email':
      return (
        <TagsInput
          label="To"
          description="Addresses"
          placeholder={action.to.length === 0 ? 'Enter adds one' : ''}
          splitChars={[',', ';', ' ']}
          value={[...action.to]}
          error={errors[`${field}.email`]}
          required
          acceptValueOnBlur
          // Text committed on blur arrives unsplit.
          onChange={(to) => onChange({ to: [...new Set(to.flatMap((one) => one.split(/[\s,;]+/)).filter((one) => one !== ''))] })}
        />
      );
    case 'slack':
      return secret('slack', 'Secret with the address', 'Name of the secret that holds the address of an incoming webhook of Slack', true);
    case 'webhook':
      return (
        <>
          <TextInput
            label="Address"
            description="Each alert is posted there"
            placeholder="https://"
            value={action.url}
            error={errors[`${field}.webhook`]}
            required
            onChange={(event) => onChange({ url: event.currentTarget.value })}
          />
          {secret(
            'secret',
            'Signed with',
            'Name of a secret; empty: not signed. Its value is kept under Secrets and never shown here.',
            false,
          )}
        </>
      );
    case 'run':
      return (
        <>
          <Autocomplete
            size="xs"
            label="Deployment"
            data={[...(facets?.deployments ?? [])]}
            value={action.deployment}
            error={errors[`${field}.run`]}
            required
            onChange={(deployment) => onChange({ deployment })}
          />
          <Textarea
            label="Parameters"
            description="A JSON object, laid over those of the deployment"
            placeholder="{}"
            autosize
            minRows={1}
            maxRows={10}
            spellCheck={false}
            value={action.params}
            error={errors[`${field}.params`]}
            classNames={{ input: formStyle.code ?? '' }}
            onChange={(event) => onChange({ params: event.currentTarget.value })}
          />
        </>
      );
    case 'cancel':
      return <p className={style.hint}>Each run that is found, one after another.</p>;
    case 'pause':
      return <p className={style.hint}>The deployment of the run; its schedules wait until it is resumed.</p>;
  }
}
