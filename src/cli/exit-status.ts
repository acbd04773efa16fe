/** What a command ends with: 0 fine · 1 the thing failed · 2 wrong usage · 130 and 143 ended by SIGINT (Ctrl-C) and SIGTERM. */
export type ExitStatus = 0 | 1 | 2 | 130 | 143;
