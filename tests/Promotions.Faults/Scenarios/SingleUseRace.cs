using System.Globalization;
using Promotions.Faults.Checking;
using Promotions.Faults.Traffic;

namespace Promotions.Faults.Scenarios;

/// <summary>Thirty customers want one single-use code at the same moment; their requests are spread over both pipelines. Exactly one gets it.</summary>
internal sealed class SingleUseRace : Scenario
{
    private const int Wide = 30;
    private const int CodesPerCall = 1_000;

    public override string Name => "single-use-race";
    public override string Says => "30 at once for one single-use code, over two pipelines, 1,000 rounds";

    public override async Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken)
    {
        var races = Enumerable.Range(round * stage.Races, stage.Races).ToList();
        foreach (var (number, codes) in races.Select(Code).Chunk(CodesPerCall).Index())
            await stage.Checkout.PrepareAsync($"/v1/campaigns/{Shop.Single}/codes", Shop.Codes(string.Create(CultureInfo.InvariantCulture, $"race-codes-{round}-{number}"), codes), cancellationToken);
        foreach (var race in races)
        {
            if (race % 100 == 0) stage.Say(string.Create(CultureInfo.InvariantCulture, $"race {race + 1} of {races[^1] + 1}"));
            var replies = await Task.WhenAll(Enumerable.Range(0, Wide).Select(runner => stage.Checkout.AskAsync(Call(race, runner), cancellationToken)));
            var winners = replies.Count(reply => reply is { IsAcknowledged: true } answer && Answers.IsGranted(answer));
            // More than one winner is found by the audit as well; none at all only here.
            if (winners == 0) stage.Journal.Add(new(BreachKind.Lost, $"race {race}: nobody got {Code(race)}, and nobody had it before"));
        }

        stage.Note($"{races.Count} races of {Wide}");
    }

    private static string Code(int race) => string.Create(CultureInfo.InvariantCulture, $"RACE-{race}");

    private static Call Call(int race, int runner)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"race-{race}-{runner}");
        return Shop.Redeem(id, "c-" + id, Shop.Coupon(Code(race))) with { Customer = "", Code = Code(race) };
    }
}
