using System.CommandLine;
using Promotions.Api.Models;
using Promotions.Features;
using Promotions.Ledger;
using Promotions.Scoring;
using Promotions.Training;

namespace Promotions.Api.Tests;

/// <summary>The life of a model over HTTP: registered, in shadow, promoted by two, retired; refused by name where it cannot serve; every step in the audit log.</summary>
public sealed class ModelRegistryTests : IAsyncLifetime
{
    /// <summary>Log-odds of models that are sure: a discount's worth is blocked by the one and approved by the other.</summary>
    private const double Abuse = 5, Honest = -5;

    private static readonly string[] Features = [.. FeatureRegistry.Features.Select(feature => feature.Name)];

    private ApiHost _host = null!;
    private string _second = "";

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync(score: 0.01f);
        _second = await _host.NewKeyAsync("\"admin\"", owner: "berta");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_model_is_registered_scores_in_shadow_and_decides_once_two_people_promoted_it()
    {
        var strict = await LeavesAsync(1, () => RegisterAsync(ModelOf(Abuse)));
        Assert.Equal(("approved", 0, (string?)null), await RedeemAsync("r-1"));

        Assert.Equal("shadow", await LeavesAsync(1, () => StepAsync(strict, "shadow")));
        Assert.Equal(("approved", 1, "blocked"), await RedeemAsync("r-2"));

        var proposed = (await LeavesAsync(1, () => _host.ExpectAsync(200, "POST", $"/v1/models/{strict}/promote"))).Json;
        Assert.Equal("shadow", proposed["state"]!.GetValue<string>());
        Assert.NotNull(proposed["proposed_by"]);
        Assert.Equal("second_person_needed", (await LeavesAsync(0, () => _host.ExpectAsync(409, "POST", $"/v1/models/{strict}/promote"))).Code);
        Assert.Equal(("approved", 1, "blocked"), await RedeemAsync("r-3"));

        Assert.Equal("champion", await LeavesAsync(1, () => StepAsync(strict, "promote", _second)));
        Assert.Equal(("blocked", 0, (string?)null), await RedeemAsync("r-4"));

        var metrics = (await _host.ExpectAsync(200, "GET", "/metrics", key: null)).Text;
        Assert.Equal(
            [$"promotions_shadow_verdicts_total{{model=\"{strict[..12]}\",champion=\"approved\",challenger=\"blocked\"}} 2"],
            metrics.Split('\n').Where(line => line.Contains("shadow_verdicts", StringComparison.Ordinal) && !line.StartsWith('#')));
        var all = (await _host.ExpectAsync(200, "GET", "/v1/models")).Json;
        Assert.Equal((strict, 4), (all["champion"]!.GetValue<string>(), all["version"]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_challenger_is_compared_with_the_champion_over_what_both_scored_and_over_labels()
    {
        var strict = await RegisterAsync(ModelOf(Abuse));
        Assert.Equal("unknown_model", (await _host.ExpectAsync(404, "GET", $"/v1/models/{strict}/drift")).Code);
        await RedeemAsync("r-0");                                  // before it scored: no part of the comparison
        await StepAsync(strict, "shadow");
        await _host.ExpectAsync(201, "POST", "/v1/campaigns", """{"id":"ten","name":"Ten","distribution":"public","currency":"EUR","benefit":{"type":"percent_off","basis_points":1000}}""");
        for (var i = 1; i <= 7; i++) Assert.Equal(("approved", 1, "blocked"), await RedeemAsync($"r-{i}", "ten"));
        foreach (var (id, abuse) in ((string, string)[])[("r-1", "true"), ("r-2", "false")])
            await _host.ExpectAsync(200, "POST", "/v1/labels", $$"""{"id":"l-{{id}}","redemption_id":"{{id}}","abuse":{{abuse}},"source":"review"}""");

        // It is read beside the decisions, every few seconds.
        System.Text.Json.Nodes.JsonNode one;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            one = (await _host.ExpectAsync(200, "GET", "/v1/models/comparison")).Json["challengers"]!.AsArray().Single()!;
            if (one["labelled"]!.GetValue<long>() == 2) break;
            await Task.Delay(100, patience.Token);
        }

        Assert.Equal(strict, one["hash"]!.GetValue<string>());
        Assert.Equal((7, 0d, 0, 7), (one["attempts"]!.GetValue<long>(), one["agreement"]!.GetValue<double>(), one["champion_blocked"]!.GetValue<long>(), one["challenger_blocked"]!.GetValue<long>()));
        Assert.Equal(7, one["verdicts"]![0]![2]!.GetValue<long>());
        Assert.Equal(7 * 200, one["challenger_blocked_value"]!.GetValue<long>());
        Assert.Equal(0, one["champion_blocked_value"]!.GetValue<long>());
        Assert.NotEqual(one["champion_cost"]!.GetValue<long>(), one["challenger_cost"]!.GetValue<long>());      // one lets abuse pass, the other wrongs a customer
        var drift = (await _host.ExpectAsync(200, "GET", $"/v1/models/{strict}/drift")).Json;
        Assert.Equal(0, drift["rows"]!.GetValue<long>());
        Assert.Contains("no reference", drift["missing_because"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_champion_before_is_retired_and_can_come_back_the_way_it_came()
    {
        var (first, second) = (await RegisterAsync(ModelOf(Abuse)), await RegisterAsync(ModelOf(Honest)));
        await PromoteAsync(first);
        await PromoteAsync(second);
        Assert.Equal("approved", (await RedeemAsync("r-1")).Status);
        Assert.Equal(["retired", "champion"], (await _host.ExpectAsync(200, "GET", "/v1/models")).Json["models"]!.AsArray().Select(model => model!["state"]!.GetValue<string>()));

        Assert.Equal("model_state", (await _host.ExpectAsync(409, "POST", $"/v1/models/{second}/retire")).Code);
        await PromoteAsync(first);
        Assert.Equal("blocked", (await RedeemAsync("r-2")).Status);
    }

    [Fact]
    public async Task Two_keys_of_one_owner_are_one_person()
    {
        var hash = await RegisterAsync(ModelOf(Abuse));
        await StepAsync(hash, "shadow");
        await StepAsync(hash, "promote");
        // Whoever makes oneself another key is still the same; a name has to be given to somebody else's, and it is in the audit log.
        var mine = await _host.NewKeyAsync("\"admin\"");
        Assert.Equal("second_person_needed", (await _host.ExpectAsync(409, "POST", $"/v1/models/{hash}/promote", key: mine)).Code);
        await StepAsync(hash, "retire");
        await StepAsync(hash, "shadow");
        await StepAsync(hash, "promote", _second);
        Assert.Equal("second_person_needed", (await _host.ExpectAsync(409, "POST", $"/v1/models/{hash}/promote", key: await _host.NewKeyAsync("\"admin\"", owner: "berta"))).Code);
        Assert.Equal("champion", await StepAsync(hash, "promote", mine));
    }

    [Fact]
    public async Task A_candidate_cannot_be_promoted_and_no_third_challenger_is_let_in()
    {
        var models = new[] { await RegisterAsync(ModelOf(1)), await RegisterAsync(ModelOf(2)), await RegisterAsync(ModelOf(3)) };
        Assert.Equal("model_state", (await _host.ExpectAsync(409, "POST", $"/v1/models/{models[0]}/promote")).Code);
        await StepAsync(models[0], "shadow");
        await StepAsync(models[1], "shadow");
        Assert.Equal("model_state", (await _host.ExpectAsync(409, "POST", $"/v1/models/{models[2]}/shadow")).Code);
        await StepAsync(models[0], "retire");
        Assert.Equal("shadow", await StepAsync(models[2], "shadow"));
    }

    [Fact]
    public async Task A_proposal_ends_when_another_model_becomes_champion()
    {
        var (first, second) = (await RegisterAsync(ModelOf(1)), await RegisterAsync(ModelOf(2)));
        await StepAsync(first, "shadow");
        await StepAsync(first, "promote");
        await PromoteAsync(second);
        Assert.Equal("shadow", await StepAsync(first, "promote", _second));     // a proposal anew, not a confirmation
    }

    [Fact]
    public void A_proposal_ends_after_a_week()
    {
        var at = new Domain.EventTime(0);
        var book = ModelBook.Empty.Register("m", "layout", "", "anna", at).Next.Shadow("m", 2, "anna", at).Next.Promote("m", "anna", "anna", at).Next;
        Assert.Equal(ModelState.Champion, book.Promote("m", "berta", "berta", at.Plus(TimeSpan.FromDays(7) - TimeSpan.FromMilliseconds(1))).Next.Find("m")!.State);
        var late = book.Promote("m", "berta", "berta", at.Plus(TimeSpan.FromDays(7))).Next.Find("m")!;
        Assert.Equal((ModelState.Shadow, "berta"), (late.State, late.ProposedBy));
    }

    [Fact]
    public async Task A_bad_file_is_refused_by_name_and_the_champion_goes_on()
    {
        var good = ModelFile.Write(Model(Abuse));
        var changed = (byte[])good.Clone();
        changed[^20] ^= 1;
        foreach (var (file, says) in new (byte[], string)[]
        {
            (good[..(good.Length / 2)], "cut short"),
            (changed, "damaged"),
            (ModelFile.Write(Model(Abuse) with { LayoutHash = 3 }), "0000000000000003"),
            (ModelFile.Write(Model(Abuse) with { Features = Features[..^1] }), $"feature {Features.Length - 1} of its vector is missing"),
            (ModelFile.Write(Model(Abuse) with { Features = [.. Features.Reverse()] }), $"and of this program's '{Features[0]}'"),
            (ModelFile.Write(Model(double.MaxValue) with { Trees = [Leaf(double.MaxValue), Leaf(double.MaxValue)] }), "it answers"),
            (NegativeCover(good), "the cover -1"),
        })
        {
            var answer = await _host.ExpectAsync(422, "POST", "/v1/models", Body(file));
            Assert.Equal("invalid_model", answer.Code);
            Assert.Contains(says, answer.Json["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        Assert.Empty((await _host.ExpectAsync(200, "GET", "/v1/models")).Json["models"]!.AsArray());
        Assert.Equal("approved", (await RedeemAsync("r-1")).Status);
    }

    [Fact]
    public async Task A_champion_whose_file_was_damaged_later_is_told_and_the_shipped_model_serves()
    {
        var hash = await RegisterAsync(ModelOf(Abuse));
        await PromoteAsync(hash);
        await _host.Ledger.PutAsync("model-files", hash, Convert.ToBase64String(ModelOf(Honest)), Actor.System, CancellationToken.None);

        // As after a restart: another process over the same ledger.
        using var registry = new ModelRegistry(_host.Ledger, FeatureRegistry.LayoutHash, Features, TimeProvider.System);
        var served = new ServedModels(registry, new FixedScorer(0.5), null);
        Assert.Equal(new string('a', 64), served.Current.Champion!.ModelHash);
        Assert.Contains("is damaged: its bytes have the hash", served.Current.Faults[hash], StringComparison.Ordinal);
        Assert.Null(served.Find(hash));
    }

    [Fact]
    public async Task Another_process_over_the_ledger_takes_over_what_was_promoted_and_explains_what_was_retired()
    {
        using var registry = new ModelRegistry(_host.Ledger, FeatureRegistry.LayoutHash, Features, TimeProvider.System);
        var served = new ServedModels(registry, null, "none is shipped");
        Assert.Equal("none is shipped", served.Current.MissingBecause);

        var (first, second) = (await RegisterAsync(ModelOf(Abuse)), await RegisterAsync(ModelOf(Honest)));
        await PromoteAsync(first);
        await PromoteAsync(second);
        registry.Refresh();
        Assert.Equal((second, null), (served.Current.Champion?.ModelHash, served.Current.MissingBecause));
        Assert.Equal(first, served.Find(first)?.ModelHash);
        Assert.Equal("promote", registry.Find(registry.Current.Version)?.Step?.What);
        Assert.Equal("register", registry.Find(1)?.Step?.What);
    }

    [Fact]
    public async Task The_same_file_twice_is_one_model_and_a_key_for_some_channels_may_not()
    {
        var hash = await RegisterAsync(ModelOf(Abuse));
        Assert.Equal(hash, await RegisterAsync(ModelOf(Abuse)));
        Assert.Single((await _host.ExpectAsync(200, "GET", "/v1/models")).Json["models"]!.AsArray());
        var some = await _host.NewKeyAsync("\"admin\"", "\"web-de\"");
        Assert.Equal("channel_not_allowed", (await _host.ExpectAsync(403, "POST", $"/v1/models/{hash}/shadow", key: some)).Code);
    }

    [Fact]
    public async Task The_command_line_takes_a_model_through_its_life_and_tells_refusals()
    {
        var file = Path.Combine(_host.Folder, "strict.json");
        await File.WriteAllBytesAsync(file, ModelOf(Abuse));
        var hash = ModelFile.HashOf(ModelOf(Abuse));
        Assert.Contains($"{hash}  candidate  (for the test)", await CommandAsync(0, _host.AdminKey, "register", file, "--note", "for the test"), StringComparison.Ordinal);
        Assert.Contains("shadow", await CommandAsync(0, _host.AdminKey, "shadow", hash), StringComparison.Ordinal);
        Assert.Contains("another person has to confirm it", await CommandAsync(0, _host.AdminKey, "promote", hash), StringComparison.Ordinal);
        Assert.Contains("409: Who proposed the promotion cannot confirm it", await CommandAsync(1, _host.AdminKey, "promote", hash), StringComparison.Ordinal);
        Assert.Contains("champion", await CommandAsync(0, _second, "promote", hash), StringComparison.Ordinal);
        Assert.Contains($"decides: {hash}", await CommandAsync(0, _second, "models"), StringComparison.Ordinal);
        Assert.Contains("404: No such model.", await CommandAsync(1, _second, "retire", "unknown"), StringComparison.Ordinal);

        await File.WriteAllBytesAsync(file, ModelOf(Abuse)[..100]);
        Assert.Contains("422: The model file does not parse; it may be cut short", await CommandAsync(1, _second, "register", file), StringComparison.Ordinal);
        Assert.Contains("401: ", await CommandAsync(1, "pk_nobody", "models"), StringComparison.Ordinal);
    }

    /// <summary>What <c>promotions-ml</c> printed.</summary>
    private async Task<string> CommandAsync(int exit, string key, params string[] arguments)
    {
        var keyFile = Path.Combine(_host.Folder, "key");
        await File.WriteAllTextAsync(keyFile, key + "\n");
        var root = new RootCommand();
        foreach (var command in RegistryCommands.Create()) root.Add(command);
        var output = new StringWriter();
        var code = await root.Parse([.. arguments, "--server", _host.Http.BaseAddress!.ToString(), "--key-file", keyFile]).InvokeAsync(new() { Output = output, Error = output });
        Assert.True(code == exit, $"{code}: {output}");
        return output.ToString();
    }

    /// <summary>The audit log is so many leaves longer afterwards.</summary>
    private async Task<T> LeavesAsync<T>(long leaves, Func<Task<T>> step)
    {
        var before = _host.Ledger.Audit.Size;
        var answer = await step();
        Assert.Equal(before + leaves, _host.Ledger.Audit.Size);
        return answer;
    }

    private async Task<string> RegisterAsync(byte[] file) => (await _host.ExpectAsync(201, "POST", "/v1/models", Body(file))).Json["hash"]!.GetValue<string>();

    private async Task<string> StepAsync(string hash, string verb, string key = "admin") =>
        (await _host.ExpectAsync(200, "POST", $"/v1/models/{hash}/{verb}", key: key)).Json["state"]!.GetValue<string>();

    private async Task PromoteAsync(string hash)
    {
        await StepAsync(hash, "shadow");
        await StepAsync(hash, "promote");
        Assert.Equal("champion", await StepAsync(hash, "promote", _second));
    }

    /// <summary>What was decided, how many challengers said something, and what the first of them said.</summary>
    private async Task<(string Status, int Challengers, string? First)> RedeemAsync(string id, string? code = null)
    {
        var redeemables = code is null ? "" : $$""", "redeemables": [{"type": "coupon", "code": "{{code}}"}]""";
        await _host.ExpectAsync(200, "POST", "/v1/redemptions", $$"""
            {"id": "{{id}}", "channel": "web-de", "customer": {"id": "c-{{id}}"},
             "order": {"id": "o-{{id}}", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 1, "unit_price": {"amount": 2000, "currency": "EUR"} }]}{{redeemables}} }
            """, "checkout");
        var told = (await _host.ExpectAsync(200, "GET", $"/v1/redemptions/{id}")).Json;
        var challengers = told["decision"]!["challengers"]!.AsArray();
        return (told["status"]!.GetValue<string>(), challengers.Count, challengers.Count == 0 ? null : challengers[0]!["verdict"]!.GetValue<string>());
    }

    private static string Body(byte[] file) => $$"""{"file_base64": "{{Convert.ToBase64String(file)}}"}""";

    private static byte[] ModelOf(double raw) => ModelFile.Write(Model(raw));

    private static TreeModel Model(double raw) => new(FeatureRegistry.LayoutHash, Features, [Leaf(raw)], Calibration.None, null);

    private static DecisionTree Leaf(double value) => new([], [], [], [], [], [value], [1]);

    /// <summary>Written as no writer of ours writes it, with a checksum that is right.</summary>
    private static byte[] NegativeCover(byte[] file)
    {
        var text = System.Text.Encoding.UTF8.GetString(file).Replace("\"leaf_cover\":[1]", "\"leaf_cover\":[-1]", StringComparison.Ordinal);
        const string key = "\"checksum\":\"";
        var at = text.IndexOf(key, StringComparison.Ordinal) + key.Length;
        var blank = text[..at] + new string('0', 64) + text[(at + 64)..];
        return System.Text.Encoding.UTF8.GetBytes(text[..at] + ModelFile.HashOf(System.Text.Encoding.UTF8.GetBytes(blank)) + text[(at + 64)..]);
    }
}
