// What users of other monitors write, with the clients they have. Prints one JSON object: what each returned, or the
// name of what it raised.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const Sentry = require('@sentry/node');
const cronitorOf = require('cronitor');

const [base, key, pingKey, folder] = process.argv.slice(2);
const dsn = `${base.replace('://', `://${pingKey}@`)}/42`;
const found = {};
// The clients tell people what goes wrong; the last line of the output is for the test.
console.log = console.error;

async function noted(name, call) {
  try {
    found[name] = (await call()) ?? null;
  } catch (error) {
    found[name] = error.constructor.name;
  }
}

async function useSentry() {
  Sentry.init({ dsn, tracesSampleRate: 1.0 });
  const config = {
    schedule: { type: 'crontab', value: '*/5 * * * *' }, timezone: 'Europe/Vienna', checkinMargin: 2, maxRuntime: 20,
  };
  const nightly = () => new Promise((done) => { setTimeout(() => done('42 rows'), 150); });
  await noted('sentry withMonitor', () => Sentry.withMonitor('node-nightly', nightly, config));
  await noted('sentry withMonitor raises', () => Sentry.withMonitor('node-broken', () => { throw new TypeError('no'); }));
  const checkInId = Sentry.captureCheckIn({ monitorSlug: 'node-steps', status: 'in_progress' });
  Sentry.captureCheckIn({ checkInId, monitorSlug: 'node-steps', status: 'error' });
  Sentry.captureCheckIn({ monitorSlug: 'node-beat', status: 'ok', duration: 1.5 });
  Sentry.captureMessage('dropped');
  await noted('sentry flush', () => Sentry.flush(10000));
}

function useSentryCli() {
  const program = path.join(path.dirname(require.resolve('@sentry/cli/package.json')), 'bin', 'sentry-cli');
  const env = { ...process.env, SENTRY_DSN: dsn, SENTRY_LOAD_DOTENV: '0' };
  const options = ['-s', '0 2 * * *', '--timezone', 'Europe/Paris', '--check-in-margin', '3', '--max-runtime', '9'];
  const run = (slug, ...rest) => spawnSync(program, ['monitors', 'run', ...rest.slice(0, -1), slug, '--', ...rest.at(-1)], { env });
  const done = run('cli-nightly', ...options, ['echo', 'done']);
  found['sentry-cli'] = [done.status, String(done.stdout)];
  found['sentry-cli of a failure'] = run('cli-broken', ['sh', '-c', 'exit 3']).status;
}

async function useCronitor() {
  const cronitor = cronitorOf(key, { environment: 'production' });
  // The hosts are constants of this client: these are the two lines to change.
  cronitor._api.pingUrl = (name) => `${base}/ping/${key}/${name}`;
  cronitor._api.monitorUrl = (name) => `${base}/api/monitors${name ? `/${name}` : ''}`;
  const { Monitor } = cronitor;
  await noted('cronitor put', async () => {
    const made = await Monitor.put({ type: 'job', key: 'node-job', schedule: '0 2 * * *', notify: ['default'] });
    return [made.data.key, made.data.schedule];
  });
  await noted('cronitor wrap', () => cronitor.wrap('node-job', () => '1204 rows')());
  await noted('cronitor wrap raises', () => cronitor.wrap('node-failing', () => { throw new RangeError('no disk'); })());
  const beat = new Monitor('node-heartbeat');
  await noted('cronitor ping', () => beat.ping({ message: 'hello', metrics: { count: 7, error_count: 1 } }));
  await noted('cronitor fail', () => beat.ping({ state: Monitor.State.FAIL, message: 'no disk' }));
  await noted('cronitor ok', () => beat.ok());
  await noted('cronitor read', async () => { const data = await beat.loadData(); return [data.key, data.passing]; });
  await noted('cronitor pause', async () => [await beat.pause(2), (await beat.loadData()).paused]);
  await noted('cronitor unpause', () => beat.unpause());
  const config = path.join(folder, 'cronitor.yaml');
  fs.writeFileSync(config, 'jobs:\n  node-yaml:\n    schedule: every 5 minutes\n');
  await noted('cronitor validate', () => cronitor.validateConfig({ path: config }));
  await noted('cronitor apply', () => cronitor.applyConfig({ path: config }));
  await noted('cronitor delete', () => new Monitor('node-yaml').delete());
  await noted('cronitor gone', () => new Monitor('node-yaml').delete());
  await noted('cronitor bad schedule', () => Monitor.put({ type: 'job', key: 'bad', schedule: 'now and then' }));
  const event = new cronitor.Event('node-loop', { intervalSeconds: 1 });
  event.tick(3);
  await noted('cronitor event', () => event.stop());
}

async function main() {
  await useSentry();
  useSentryCli();
  await useCronitor();
  process.stdout.write(`${JSON.stringify(found)}\n`);
  process.exit(0);
}

main();
