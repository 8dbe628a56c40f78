using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Scoring;

namespace Promotions.Training;

/// <summary><c>promotions-ml outliers</c>: limits on counts that hardly anybody reached, as hard rules of the fraud policy.</summary>
internal static class OutliersCommand
{
    public const double ShareDefault = 0.001;
    private const double ShareMax = 0.05, SurgeTimesDefault = 3;
    private static readonly TimeSpan Per = TimeSpan.FromDays(30);

    public static Command Create()
    {
        var dataset = CommandLine.DataSetOption();
        var policy = new Option<FileInfo>("--policy") { Description = "The policy in force, as GET /v1/policies/fraud answers it.", Required = true };
        var share = new Option<double>("--share") { DefaultValueFactory = _ => ShareDefault, Description = "Customers who may be blocked wrongly within 30 days, as a share of all; above 0." };
        var model = new Option<FileInfo?>("--model") { Description = "The champion. Customers with an attempt to which it gives a chance of abuse of 5 % or more are not taken for honest; without it, only known abusers are left out, and limits come out far higher." };
        var codes = new Option<string[]>("--codes") { DefaultValueFactory = _ => [], AllowMultipleArgumentsPerToken = true, Description = "Codes of a bounded audience, as staff's or a partner's: each gets a limit for strangers, from its own past. Not for public codes." };
        var times = new Option<double>("--times") { DefaultValueFactory = _ => SurgeTimesDefault, Description = "That limit, in usual days of the code; above 1." };
        var output = new Option<FileInfo>("--out") { DefaultValueFactory = _ => new("policy.json"), Description = "The policy with the limits, to look at, change and PUT." };
        var command = new Command("outliers", "Measures limits on counts that hardly anybody of a period reached, without labels, and writes them as hard rules into a fraud policy.") { dataset, policy, model, share, codes, times, output };
        command.SetAction(parsed => CommandLine.Run(() =>
        {
            var (data, target) = (CommandLine.ReadDataSet(parsed.GetRequiredValue(dataset)), parsed.GetRequiredValue(output));
            var scorer = parsed.GetValue(model) is { } file ? ScorerFile.Load(File.ReadAllBytes(file.FullName), data.LayoutHash) : null;
            var (body, limits) = Write(data, File.ReadAllText(parsed.GetRequiredValue(policy).FullName), new(parsed.GetValue(share), parsed.GetValue(codes)!, parsed.GetValue(times)), scorer);
            File.WriteAllText(target.FullName, body);
            foreach (var limit in limits) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{limit.Name,-48} from {limit.AtLeast,8:0} on"));
            foreach (var code in parsed.GetValue(codes)!.Where(code => !limits.Any(limit => limit.Code == Normal(code)))) Console.WriteLine($"{code}: not tried on enough days to know a usual one; no limit");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{target.Name}: {limits.Count} limits beside the policy's other hard rules. Nothing is in force before an admin PUTs it to /v1/policies/fraud."));
        }));
        return command;
    }

    /// <param name="Share">Of customers who may be blocked wrongly within 30 days, above 0.</param>
    /// <param name="Codes">Get a limit from their own past.</param>
    /// <param name="Times">Of the codes' usual days, above 1.</param>
    internal sealed record Options(double Share, IReadOnlyList<string> Codes, double Times);

    /// <summary>The policy's next body: its rules of an earlier measurement replaced, everything else as it was.</summary>
    /// <exception cref="InvalidDataException">Names what is wrong with the policy, an option or the rows.</exception>
    internal static (string Body, IReadOnlyList<HardRule> Limits) Write(DataSet data, string policy, Options options, IScorer? scorer = null)
    {
        if (!(options.Share is > 0 and <= ShareMax)) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"--share {options.Share} does not lie above 0 and at most at {ShareMax}."));
        if (!(options.Times > 1)) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"--times {options.Times} is not above 1."));
        if (data.LayoutHash != FeatureRegistry.LayoutHash) throw new InvalidDataException($"The data set has the feature layout {data.LayoutHash:x16}; this build has {FeatureRegistry.LayoutHash:x16}.");
        var body = Parse(policy);
        var rules = body["hard_rules"] as JsonArray ?? [];
        foreach (var own in rules.Where(rule => (string?)rule!["name"] is { } name && name.StartsWith(OutlierRules.NamePrefix, StringComparison.Ordinal)).ToList()) rules.Remove(own);
        var limits = Measure(data, [.. rules.Select(rule => RuleOf(rule!))], options, scorer);
        foreach (var limit in limits) rules.Add(Tell(limit));
        body["hard_rules"] = rules;
        return (body.ToJsonString(CommandLine.Json), limits);
    }

    /// <summary>Whom another rule blocks anyway, whoever is known for abuse and whom the champion suspects uses up nothing of the budget; whom a code's own limit blocks does.</summary>
    private static IReadOnlyList<HardRule> Measure(DataSet data, IReadOnlyList<HardRule> standing, Options options, IScorer? scorer)
    {
        data.Validate();
        var rows = OutlierRules.Unsuspected(data.Rows, standing, scorer);
        HardRule[] surges = [.. options.Codes.Select(code => OutlierRules.MeasureSurge(rows, Normal(code), options.Times)).OfType<HardRule>()];
        var honest = rows.GroupBy(row => OutlierRules.CustomerOf(row)).ToList();
        var left = honest.Where(own => !own.Any(row => OutlierRules.Blocks(surges, row))).ToList();
        var seen = TimeSpan.FromMilliseconds(data.Rows.Max(row => row.At.UnixMilliseconds) - data.Rows.Min(row => row.At.UnixMilliseconds));
        var budget = (int)OutlierRules.Budget(honest.Count, options.Share, seen, Per) - (honest.Count - left.Count);
        return [.. surges, .. OutlierRules.MeasureLimits([.. left.SelectMany(own => own)], Math.Max(0, budget))];
    }

    /// <summary>As the pipeline knows codes.</summary>
    private static string Normal(string code) => code.Trim().ToUpperInvariant();

    private static JsonObject Tell(HardRule rule)
    {
        var told = new JsonObject { ["name"] = rule.Name, ["feature"] = rule.Feature, ["at_least"] = rule.AtLeast, ["note"] = rule.Note };
        if (rule.Code is not null) told["code"] = rule.Code;
        if (rule.StrangersOnly) told["strangers_only"] = true;
        return told;
    }

    private static JsonObject Parse(string policy)
    {
        try
        {
            if (JsonNode.Parse(policy) is not JsonObject body || body["version"] is null || body["costs"] is null) throw new InvalidDataException("The file of --policy is no fraud policy: GET /v1/policies/fraud answers one.");
            body.Remove("written_by");
            body.Remove("written_at");
            return body;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The file of --policy is no JSON: {e.Message}", e);
        }
    }

    private static HardRule RuleOf(JsonNode rule)
    {
        var (name, feature, atLeast) = ((string?)rule["name"], (string?)rule["feature"], (double?)rule["at_least"]);
        if (name is null || feature is null || atLeast is null) throw new InvalidDataException($"A hard rule of the policy is not whole: {rule.ToJsonString()}");
        return FeatureRegistry.Features.Any(f => f.Name == feature)
            ? new(name, feature, (float)atLeast, (string?)rule["note"], (string?)rule["code"], (bool?)rule["strangers_only"] ?? false)
            : throw new InvalidDataException($"The hard rule '{name}' is about '{feature}', which this build does not know.");
    }
}
