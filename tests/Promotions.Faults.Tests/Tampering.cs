using System.Diagnostics;
using Npgsql;
using Promotions.Faults.Scenarios;
using Promotions.Faults.Traffic;

namespace Promotions.Faults.Tests;

/// <summary>A product that breaks its promises, made by hand behind its back: what was acknowledged is forgotten, decided twice, and left out of the audit tree. The checker has to say each.</summary>
internal sealed class Tampering : Scenario
{
    public override string Name => "tampering";
    public override string Says => "the ledger is changed by hand";

    /// <summary>An acknowledged redemption that the ledger does not know any more, and that is decided anew when it is asked again.</summary>
    public string Forgotten { get; private set; } = "";

    public string DecidedTwice { get; private set; } = "";
    public string WithoutLeaf { get; private set; } = "";

    /// <summary>An acknowledged deposit that the ledger does not know any more, and that is booked again when it is asked again.</summary>
    public string Deposit { get; private set; } = "";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var redemptions = await AcknowledgedAsync(stage, CallKind.Redeem, 3, cancellationToken);
        (Forgotten, DecidedTwice, WithoutLeaf) = (redemptions[0], redemptions[1], redemptions[2]);
        Deposit = (await AcknowledgedAsync(stage, CallKind.Deposit, 1, cancellationToken))[0];
        await using var owner = new NpgsqlConnection(stage.Set.Postgres.Owner + ";Pooling=false");
        await owner.OpenAsync(cancellationToken);
        await RunAsync("DELETE FROM decision WHERE redemption_id = @id", Forgotten);
        await RunAsync("DELETE FROM command WHERE id = @id", Forgotten);
        await RunAsync(
            """
            CREATE TEMP TABLE twice AS SELECT * FROM decision WHERE redemption_id = @id;
            UPDATE twice SET entry = entry + 1000000000000;
            INSERT INTO decision SELECT * FROM twice
            """,
            DecidedTwice);
        await RunAsync("DELETE FROM leaf WHERE entry IN (SELECT entry FROM decision WHERE redemption_id = @id)", WithoutLeaf);
        await RunAsync("DELETE FROM command WHERE id = @id", Deposit);

        async Task RunAsync(string sql, string id)
        {
            await using var command = new NpgsqlCommand(sql.Replace("@id", $"'{id}'", StringComparison.Ordinal), owner);
            // A leaf comes a moment after its entry.
            for (var from = Stopwatch.GetTimestamp(); await command.ExecuteNonQueryAsync(cancellationToken) == 0; await Task.Delay(50, cancellationToken))
                if (Stopwatch.GetElapsedTime(from) > TimeSpan.FromSeconds(30)) throw new InvalidOperationException($"{id}: nothing to change. {sql}");
        }
    }

    /// <summary>Of this scenario's calls, the ids of some that were promised something.</summary>
    private static async Task<List<string>> AcknowledgedAsync(Stage stage, CallKind kind, int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = stage.Journal.Promises.Keys.Select(name => stage.Journal.Calls[name]).Where(call => call.Kind == kind).Select(call => call.Id).Take(count).ToList();
            if (found.Count == count) return found;
            await Task.Delay(50, cancellationToken);
        }
    }
}
