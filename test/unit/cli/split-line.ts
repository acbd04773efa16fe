/** The words of a command line, as a shell splits it; what a shell itself would read ends it. */
export function splitLine(line: string): string[] {
  const plain = line.replace(/ +(#|<|>|\|).*$/, '');
  return [...plain.matchAll(/'([^']*)'|"([^"]*)"|\S+/g)].map(([word, single, double]) => single ?? double ?? word);
}
