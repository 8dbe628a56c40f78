using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Promotions.Features;
using Promotions.Processing.Decisions;

namespace Promotions.Training;

/// <summary><c>promotions-ml outliers</c>: limits on counts that hardly anybody reached, as hard rules of the fraud policy.</summary>
internal static class OutliersCommand
{
    public const double ShareDefault = 0.001;
    private const double ShareMax = 0.05, UsualShare = 0.6;
    private static readonly TimeSpan Per = TimeSpan.FromDays(30);

    public static Command Create()
    {
        var dataset = CommandLine.DataSetOption();
        var policy = new Option<FileInfo>("--policy") { Description = "The policy in force, as GET /v1/policies/fraud answers it.", Required = true };
        var share = new Option<double>("--share") { DefaultValueFactory = _ => ShareDefault, Description = "Customers who may be blocked wrongly within 30 days, as a share of all; above 0." };
        var output = new Option<FileInfo>("--out") { DefaultValueFactory = _ => new("policy.json"), Description = "The policy with the limits, to look at, change and PUT." };
        var command = new Command("outliers", "Measures limits on counts that hardly anybody of a period reached, without labels, and writes them as hard rules into a fraud policy.") { dataset, policy, share, output };
        command.SetAction(parsed => CommandLine.Run(() =>
        {
            var (data, target) = (CommandLine.ReadDataSet(parsed.GetRequiredValue(dataset)), parsed.GetRequiredValue(output));
            var (body, limits) = Write(data, File.ReadAllText(parsed.GetRequiredValue(policy).FullName), parsed.GetValue(share));
            File.WriteAllText(target.FullName, body);
            foreach (var limit in limits) Console.WriteLine(Line(limit));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{target.Name}: {limits.Count} limits beside the policy's other hard rules. Nothing is in force before an admin PUTs it to /v1/policies/fraud."));
        }));
        return command;
    }

    /// <summary>The policy's next body: its rules of an earlier measurement replaced, everything else as it was.</summary>
    /// <exception cref="InvalidDataException">Names what is wrong with the policy, the share or the rows.</exception>
    internal static (string Body, IReadOnlyList<OutlierLimit> Limits) Write(DataSet data, string policy, double share)
    {
        if (!(share is > 0 and <= ShareMax)) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"--share {share} does not lie above 0 and at most at {ShareMax}."));
        if (data.LayoutHash != FeatureRegistry.LayoutHash) throw new InvalidDataException($"The data set has the feature layout {data.LayoutHash:x16}; this build has {FeatureRegistry.LayoutHash:x16}.");
        var body = Parse(policy);
        var rules = body["hard_rules"] as JsonArray ?? [];
        foreach (var own in rules.Where(rule => (string?)rule!["name"] is { } name && name.StartsWith(OutlierRules.NamePrefix, StringComparison.Ordinal)).ToList()) rules.Remove(own);
        var limits = Measure(data, [.. rules.Select(rule => RuleOf(rule!))], share);
        foreach (var limit in limits)
            rules.Add(new JsonObject { ["name"] = limit.Rule.Name, ["feature"] = limit.Rule.Feature, ["at_least"] = limit.Rule.AtLeast, ["note"] = limit.Rule.Note });
        body["hard_rules"] = rules;
        return (body.ToJsonString(CommandLine.Json), limits);
    }

    /// <summary>Whom another rule blocks anyway, and whoever is known for abuse, uses up nothing of the budget.</summary>
    private static IReadOnlyList<OutlierLimit> Measure(DataSet data, IReadOnlyList<HardRule> standing, double share)
    {
        data.Validate();
        TrainingRow[] rows = [.. data.Rows.OrderBy(row => row.At)];
        var fitted = (int)(rows.Length * UsualShare);
        var usual = rows.Take(fitted).Select(row => row.Vector).ToList();
        var later = rows.Skip(fitted).ToList();
        var indexed = standing.Select(rule => (Rule: rule, Index: FeatureRegistry.IndexOf(rule.Feature))).ToList();
        var left = later.GroupBy(row => OutlierRules.CustomerOf(row)).Where(own => !own.Any(row => row.Abuse || indexed.Any(one => one.Rule.IsReachedBy(row.Vector[one.Index])))).ToList();
        var seen = TimeSpan.FromMilliseconds(rows[^1].At.UnixMilliseconds - later[0].At.UnixMilliseconds);
        return OutlierRules.MeasureLimits(usual, [.. left.SelectMany(own => own)], (int)OutlierRules.Budget(left.Count, share, seen, Per));
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
        return FeatureRegistry.Features.Any(f => f.Name == feature) ? new(name, feature, (float)atLeast) : throw new InvalidDataException($"The hard rule '{name}' is about '{feature}', which this build does not know.");
    }

    private static string Line(OutlierLimit limit) => string.Create(CultureInfo.InvariantCulture,
        $"{limit.Rule.Feature,-36} from {limit.Rule.AtLeast,6:0} on   {limit.Rows,6:#,0} earlier attempts, {limit.Customers,4:#,0} later customers");
}
