/** The words of a command line, as a shell splits it; what a shell itself would read ends it. */
export function splitLine(line: string): string[] {
  const plain = line.replace(/ +(#|<|>|\|).*$/, '');
  return [...plain.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_quoted, single: string | undefined, double: string | undefined) => single ?? double ?? ''),
  );
}
