/** Readable names of runs. */
import { BatutaError } from '../../base/errors.ts';
import { cutText, storableText } from '../../base/cut-text.ts';
import { withoutHidden } from '../../base/hidden-values.ts';
import { maxNameChars } from '../../model/run.ts';

const adjectives =
  'amber ample bold brave brisk bright calm clear clever cosy crisp dapper deft eager early fair fleet fresh gentle glad golden grand happy hardy honest jolly keen kind lively lucid lucky mellow merry mild neat nimble noble patient placid plucky proud quick quiet ready robust rosy sharp silent silver sleek smart smooth snug sober solid spry steady subtle sunny swift tidy tranquil trusty vivid warm wise witty zesty'.split(
    ' ',
  );
const animals =
  'adder albatross ant badger bat bear beaver bee bison boar bobcat camel canary carp cat cheetah condor crab crane cricket crow deer dingo dolphin dove eagle eel egret elk falcon ferret finch fox frog gecko gibbon goat goose grouse gull hare hawk heron hippo horse ibex ibis jackal jay koala lark lemur leopard lion llama lynx magpie mink mole moose moth mouse newt ocelot orca osprey otter owl panda parrot pelican penguin pigeon pony puffin puma quail rabbit raven robin salmon seal shrew skunk sloth snail sparrow spider squid stork swan tapir tern tiger toad trout turtle viper vole walrus weasel whale wolf wombat wren yak zebra'.split(
    ' ',
  );

/** Two words such as `quick-otter`. @param random returns numbers in [0, 1). */
export function randomName(random: () => number): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? 'plain';
  return `${pick(adjectives)}-${pick(animals)}`;
}

const fieldPattern = /\{([\w.$-]+)\}/g;

/**
 * Name from a template such as `sync-{month}` (fields of `values`, also nested: `{range.from}`) or a function.
 *
 * A missing field stays as written.
 *
 * @throws BatutaError OPTION_INVALID when the function throws or returns no text.
 */
export function renderName<T>(source: string | ((value: T) => string), value: T, fields: unknown = value): string {
  if (typeof source === 'string') {
    return cutText(storableText(withoutHidden(fillTemplate(source, fields))), maxNameChars);
  }
  let name: unknown;
  try {
    name = source(value);
  } catch (cause) {
    throw new BatutaError('OPTION_INVALID', `The function runName threw: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  if (typeof name !== 'string' || name === '')
    throw new BatutaError('OPTION_INVALID', 'The function runName must give a text that is not empty.');
  return cutText(storableText(withoutHidden(name)), maxNameChars);
}

/** The fields a template names, each once and without nested ones: `{range.from}-{city}` yields `range` and `city`. */
export function templateFields(template: string): readonly string[] {
  return [...new Set([...template.matchAll(fieldPattern)].map(([, path = '']) => path.split('.')[0] ?? path))];
}

/** A template with its fields filled in; a missing field stays as written. */
export function fillTemplate(template: string, fields: unknown): string {
  return template.replace(fieldPattern, (whole, path: string) => textAt(fields, path) ?? whole);
}

function textAt(fields: unknown, path: string): string | null {
  let at: unknown = fields;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return null;
    at = (at as Record<string, unknown>)[key];
  }
  if (at instanceof Date) return at.toISOString();
  return typeof at === 'object' || typeof at === 'function' || at === undefined ? null : String(at);
}
