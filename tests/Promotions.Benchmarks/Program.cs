using Promotions.Benchmarks;

// ./deploy/bench [SUITE]: prints rows and writes artifacts/bench/SUITE.json (all.json without a SUITE).
return await BenchRunner.RunAsync(args, Suites.All, CancellationToken.None);
