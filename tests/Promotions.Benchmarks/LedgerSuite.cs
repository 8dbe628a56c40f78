using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Promotions.Domain;
using Promotions.Domain.Campaigns;
using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Ledger;
using Promotions.Ledger.Booking;
using Promotions.Ledger.Sqlite;
using Promotions.Ledger.Sqlite.Storage;

namespace Promotions.Benchmarks;

/// <summary>Durable redemptions: each with a unique coupon, four limits, a log record and its outcome, a 60-float vector, audit leaf and outbox row.</summary>
internal sealed class LedgerSuite : IBenchSuite
{
    private const int Rounds = 3;
    private const int Redemptions = 40_000;
    private const int Warmup = 4_000;
    private const int InFlight = 256;

    public string Name => "ledger";

    public async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var folder = Path.Combine("artifacts", "bench", "ledger");
        if (Directory.Exists(folder)) Directory.Delete(folder, true);
        Directory.CreateDirectory(folder);
        // In turns, so that what else the machine does meets both; the round with the middle ratio is the row.
        var rounds = new List<(double Ours, double Beside)>();
        for (var round = 0; round < Rounds; round++)
        {
            report.Progress("durable redemptions, 256 in flight");
            var ours = await MeasureOurs(Path.Combine(folder, $"ours-{round}.db"), cancellationToken);
            report.Progress("the same statements, 256 a transaction, one thread");
            rounds.Add((ours, MeasureStatements(Path.Combine(folder, $"beside-{round}.db"))));
            report.Progress(string.Create(CultureInfo.InvariantCulture, $"round {round + 1}: {rounds[round].Ours:F0}/s beside {rounds[round].Beside:F0}/s"));
        }

        var middle = rounds.OrderBy(r => r.Ours / r.Beside).ElementAt(Rounds / 2);
        report.Rate("ledger.rate", middle.Ours, "1/s", middle.Beside,
            $"{Redemptions:N0} redemptions of {LedgerLoad.Customers:N0} customers, one unique coupon each; the middle of {Rounds} rounds in turns");
        Directory.Delete(folder, true);
    }

    private static async Task<double> MeasureOurs(string path, CancellationToken cancellationToken)
    {
        await using var ledger = SqliteLedger.Open(new() { Path = path }, TimeProvider.System);
        var now = EventTime.Now(TimeProvider.System);
        await ledger.ExecuteAsync(new PutCampaign("put", LedgerLoad.Shop, now, LedgerLoad.Campaign("spring", now)), Lane.Decision, cancellationToken);
        var codes = Enumerable.Range(0, Redemptions + Warmup).Select(i => new NewCoupon(LedgerLoad.Code(i), null, 1)).Chunk(500);
        await ledger.ExecuteManyAsync([.. codes.Select((chunk, i) => new AddCoupons("codes-" + i, LedgerLoad.Shop, now, "spring", chunk))], null, cancellationToken);

        await Drive(ledger, 0, Warmup, now, cancellationToken);
        var started = Stopwatch.GetTimestamp();
        await Drive(ledger, Warmup, Redemptions, now, cancellationToken);
        return Redemptions / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task Drive(SqliteLedger ledger, int first, int count, EventTime now, CancellationToken cancellationToken)
    {
        var next = first - 1;
        var refused = 0;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(_ => Task.Run(Loop, cancellationToken)));
        if (refused > 0) throw new InvalidOperationException($"{refused} redemptions were refused.");

        async Task Loop()
        {
            int i;
            while ((i = Interlocked.Increment(ref next)) < first + count)
            {
                var command = LedgerLoad.Redemption(i, now);
                var receipt = await ledger.CommitAsync(
                    [new("redemption-requests", command.Proposal.Request.Customer.Id, LedgerLoad.RecordBytes, now, 42, command)],
                    static outcomes => [new("outcomes", outcomes[0]!.Decision!.Proposal.Request.Customer.Id, LedgerLoad.OutcomeBytes, outcomes[0]!.Decision!.DecidedAt, 0, null)], cancellationToken);
                if (receipt.Outcomes[0] is not { Decision.Status: RedemptionStatus.Approved }) Interlocked.Increment(ref refused);
            }
        }
    }

    /// <summary>The rows of the same redemptions through bare prepared statements: nothing is looked up, evaluated or hashed.</summary>
    private static double MeasureStatements(string path)
    {
        using var db = Db.Open(path, readOnly: false);
        db.Execute("PRAGMA journal_mode = WAL");
        db.Execute("PRAGMA synchronous = FULL");
        db.Execute("PRAGMA cache_size = -65536");
        db.Execute("PRAGMA wal_autocheckpoint = 4000");
        Schema.Migrate(db, path);
        var now = EventTime.Now(TimeProvider.System);
        var commands = Enumerable.Range(0, Redemptions + Warmup).Select(i => PreparedCommand.From(LedgerLoad.Redemption(i, now))).ToArray();   // encoded before the clock starts
        var entry = db.Prepare("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        var command = db.Prepare("INSERT INTO command VALUES (?, ?)");
        var decision = db.Prepare("INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        var hold = db.Prepare("INSERT INTO hold VALUES (?, 1, ?, NULL)");
        var posting = db.Prepare("INSERT INTO posting VALUES (?, ?, ?, ?)");
        var account = db.Prepare("INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        var balance = db.Prepare("UPDATE account SET free = ?, held = ?, used = ? WHERE id = ?");
        var outbox = db.Prepare("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?)");
        var customers = new Dictionary<string, long>(StringComparer.Ordinal);
        var leaf = new byte[32];
        var payload = new byte[850];
        long position = 0, accounts = 4, told = 0, started = 0;
        for (var id = 1; id <= 4; id++) account.Bind(1, id).Bind(2, 2).Bind(3, "").Bind(4, "").Bind(5, "unit-" + id).Bind(6, 0).Bind(7, 0).Bind(8, 0).Run();
        var n = 0;
        db.Execute("BEGIN IMMEDIATE");
        foreach (var prepared in commands)
        {
            if (n == Warmup) started = Stopwatch.GetTimestamp();
            var request = ((DecideRedemption)prepared.Command).Proposal.Request;
            position++;
            Entry(request.Id, "redemption-requests", LedgerLoad.RecordBytes);
            command.Bind(1, request.Id).Bind(2, position).Run();
            decision.Bind(1, position).Bind(2, request.Id).Bind(3, request.Customer.Id).Bind(4, 1).Bind(5, 0).Bind(6, now.UnixMilliseconds).Bind(7, now.UnixMilliseconds)
                .Bind(8, "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2").Bind(9, prepared.Document.Span).Bind(10, prepared.Vector.Span).Run();
            hold.Bind(1, position).Bind(2, now.UnixMilliseconds).Run();
            var lines = 5;
            account.Bind(1, ++accounts).Bind(2, 23).Bind(3, request.Redeemables[0].Code).Bind(4, "").Bind(5, "use").Bind(6, 0).Bind(7, 1).Bind(8, 0).Run();
            if (customers.TryGetValue(request.Customer.Id, out var known)) balance.Bind(1, 9).Bind(2, 1).Bind(3, 0).Bind(4, known).Run();
            else
            {
                lines++;
                customers.Add(request.Customer.Id, ++accounts);
                account.Bind(1, accounts).Bind(2, 22).Bind(3, "spring").Bind(4, request.Customer.Id).Bind(5, "use").Bind(6, 9).Bind(7, 1).Bind(8, 0).Run();
            }

            for (var line = 0; line < lines; line++) posting.Bind(1, (position << 16) + line).Bind(2, 4).Bind(3, 9).Bind(4, 1).Run();
            outbox.Bind(1, ++told).Bind(2, position).Bind(3, now.UnixMilliseconds).Bind(4, "decision").Bind(5, request.Id).Bind(6, payload).Run();
            position++;
            Entry(request.Customer.Id, "outcomes", LedgerLoad.OutcomeBytes);
            if (++n % InFlight != 0) continue;
            for (var id = 1; id <= 4; id++) balance.Bind(1, 1).Bind(2, 0).Bind(3, 0).Bind(4, id).Run();
            db.Execute("COMMIT");
            db.Execute("BEGIN IMMEDIATE");
        }

        db.Execute("COMMIT");
        return Redemptions / Stopwatch.GetElapsedTime(started).TotalSeconds;

        void Entry(string key, string topic, byte[] value) =>
            entry.Bind(1, position).Bind(2, position).Bind(3, 1).Bind(4, key).Bind(5, "api_key").Bind(6, "key-1").Bind(7, "web-de").Bind(8, "key-1").Bind(9, leaf).Bind(10, topic)
                .Bind(11, key).Bind(12, value).Bind(13, now.UnixMilliseconds).Bind(14, 42).Bind(15, 0).Bind(16, (string?)null).Bind(17, leaf).Run();
    }
}
