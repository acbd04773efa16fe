/**
 * `node scripts/count-tests.js REPORT TESTS_STATUS CHECK_STATUS`: prints `N passed, N failed` (`, N skipped` when any) from
 * vitest's JSON report, and ends with 1 when anything failed or nothing ran.
 */
import { readFileSync } from 'node:fs';

const [path = '', testsStatus = '1', checkStatus = '1'] = process.argv.slice(2);
const report = readReport(path);

// A file that cannot be loaded and an error outside every test fail no test, yet they are failures.
const failedTests = report.numFailedTests === 0 && testsStatus !== '0' ? 1 : report.numFailedTests;
const failed = failedTests + (checkStatus === '0' ? 0 : 1);
const skipped = report.numPendingTests + report.numTodoTests;

if (testsStatus !== '0') console.log(`The tests ended with ${testsStatus}.`);
if (checkStatus !== '0') console.log(`npm run check ended with ${checkStatus}; it is counted as one failure.`);
if (report.numPassedTests === 0) console.log('No test passed.');
console.log(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || report.numPassedTests === 0 ? 1 : 0;

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    console.log(`There is no report of the tests: ${error.message}`);
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  }
}
