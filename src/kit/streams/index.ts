/** What is imported from 'batuta/streams': what sources, steps and ends of streams are made of. */
export { at, Positioned } from '../../model/streams.ts';
