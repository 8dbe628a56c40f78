using Promotions.Benchmarks;

// ./deploy/bench [SUITE]: prints rows and writes artifacts/bench/SUITE.json (all.json without a SUITE).
// postgres-worker ...: one of the processes that the suite postgres starts.
if (args is ["postgres-worker", .. var work]) return await Promotions.Benchmarks.Postgres.PostgresWorker.RunAsync(work, CancellationToken.None);
return await BenchRunner.RunAsync(args, Suites.All, CancellationToken.None);
