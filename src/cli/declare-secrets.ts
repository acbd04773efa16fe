/** The commands `secret …`, `variable …` and `connection …`. */
import type { Command } from 'commander';
import { collect, makeGroup, type Perform } from './declare.ts';

/** Adds the commands. */
export function declareSecretCommands(program: Command, perform: Perform): void {
  const secret = makeGroup(program, 'secret', 'secrets that tasks read by ctx.secret(name); nobody reads one back');
  secret
    .command('set')
    .argument('<name>', 'name that code asks for')
    .argument('[from]', '- for standard input, @path for a file; left out, it is asked for')
    .description('create or replace a secret')
    .option('--ref <reference>', 'keep it where it is: env:NAME, file:/path, or a resolver of batuta.config.ts and what it takes')
    .option('--value <text>', 'the value here and now; the history of the shell keeps it')
    .option('--description <text>', 'what it is for')
    .option('--json', 'print what is known of it as JSON')
    .action(perform(async () => (await import('./commands/secrets.ts')).setSecret));
  secret
    .command('get')
    .argument('<name>')
    .description('show what is known of a secret; never its value')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/secrets.ts')).getSecret));
  secret
    .command('ls')
    .alias('list')
    .description('list the secrets')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/secrets.ts')).listSecrets));
  secret
    .command('delete')
    .argument('<name>')
    .description('delete a secret')
    .option('--json', 'print an array of the name deleted')
    .action(perform(async () => (await import('./commands/secrets.ts')).deleteSecret));
  secret
    .command('rotate')
    .description('encrypt all secrets with the key in BATUTA_SECRET_KEY; those before it are in BATUTA_SECRET_KEY_OLD')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/secrets.ts')).rotateSecrets));
}

/** Adds the commands. */
export function declareVariableCommands(program: Command, perform: Perform): void {
  const variable = makeGroup(program, 'variable', 'values that tasks read by ctx.variable(name) and people change without a deploy');
  variable
    .command('set')
    .argument('<name>')
    .argument('<value>', 'JSON where it is JSON, else text; - for standard input, @path for a file')
    .description('create or replace a variable')
    .option('--text', 'take the value as text, even where it is JSON')
    .option('--description <text>', 'what it is for')
    .option('--json', 'print the variable as JSON')
    .action(perform(async () => (await import('./commands/variables.ts')).setVariable));
  variable
    .command('get')
    .argument('<name>')
    .description('print the value of a variable')
    .option('--json', 'print the variable as JSON')
    .action(perform(async () => (await import('./commands/variables.ts')).getVariable));
  variable
    .command('ls')
    .alias('list')
    .description('list the variables')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/variables.ts')).listVariables));
  variable
    .command('delete')
    .argument('<name>')
    .description('delete a variable')
    .option('--json', 'print an array of the name deleted')
    .action(perform(async () => (await import('./commands/variables.ts')).deleteVariable));
}

/** Adds the commands. */
export function declareConnectionCommands(program: Command, perform: Perform): void {
  const connection = makeGroup(program, 'connection', 'where databases and services are, with what opens them');
  connection
    .command('set')
    .argument('<name>')
    .description('create a connection, or change what is named here')
    .option('--kind <kind>', 'postgres, mysql, http, s3 or generic')
    .option('-f, --field <key=value>', 'a field; may be repeated', collect, [])
    .option(
      '--secret <field[=from]>',
      'a secret field; from is -, @path, or a reference such as env:DB_PASSWORD; left out, it is asked for. May be repeated',
      collect,
      [],
    )
    .option('--url <url>', 'its fields as an address; - for standard input, @path for a file. A password in it becomes a secret field')
    .option('--description <text>', 'what it is for')
    .option('--json', 'print what is known of it as JSON')
    .action(perform(async () => (await import('./commands/connections.ts')).setConnection));
  connection
    .command('get')
    .argument('<name>')
    .description('show a connection, without the values of its secret fields')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/connections.ts')).getConnection));
  connection
    .command('ls')
    .alias('list')
    .description('list the connections')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/connections.ts')).listConnections));
  connection
    .command('delete')
    .argument('<name>')
    .description('delete a connection')
    .option('--json', 'print an array of the name deleted')
    .action(perform(async () => (await import('./commands/connections.ts')).deleteConnection));
}
