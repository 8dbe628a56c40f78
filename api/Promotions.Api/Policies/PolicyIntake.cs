using Promotions.Api.Bulk;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Processing.Decisions;

namespace Promotions.Api.Policies;

/// <summary>From an admin's policy to the pipeline's, and back.</summary>
internal static class PolicyIntake
{
    private static readonly string[] IgnorableEntities = ["device", "ip", "network", "payment_token", "address"];

    /// <summary>Of no campaign, whose ids have no slash.</summary>
    private const string LetThroughSalt = "policies/let-through";

    /// <returns>The version after the one that the body replaces; null when anything is wrong with it.</returns>
    public static FraudPolicy? Read(FraudPolicyBody body, Func<string, bool> isFeature, InstallationSecret secret, FieldErrors errors)
    {
        var replaces = (int)Check.Whole(errors, body.Version, "/version", 1, int.MaxValue - 1);
        var costs = Costs(body.Costs, errors);
        var floor = Check.Number(errors, body.ReviewFloor, "/review_floor", 0, 1);
        var rules = HardRules(body.HardRules, isFeature, errors);
        var channels = Channels(body.Channels, errors);
        var hold = Check.Whole(errors, body.HoldSeconds, "/hold_seconds", 1, Bounds.HoldSecondsMax);
        var through = ReadLetThrough(body.LetThrough, secret, errors);
        return errors.Any ? null : new(replaces + 1, costs, floor, rules, channels, TimeSpan.FromSeconds(hold)) { LetThrough = through };
    }

    public static FraudPolicyAnswer Tell(WrittenPolicy written)
    {
        var policy = written.Policy;
        var costs = policy.Costs;
        return new(
            policy.Version,
            new() { WrongedCustomer = costs.WrongedCustomer, Review = costs.Review, AbuseMultiple = costs.AbuseMultiple, LossMin = costs.LossMin, ReviewCatches = costs.ReviewCatches, GoodsShare = costs.GoodsShare },
            policy.ReviewFloor,
            [.. policy.HardRules.Select(rule => new HardRuleBody { Name = rule.Name, Feature = rule.Feature, AtLeast = rule.AtLeast, Note = rule.Note, Code = rule.Code, StrangersOnly = rule.StrangersOnly ? true : null })],
            [.. policy.Channels.Select(channel => new ChannelPolicyBody
            {
                Channel = channel.ChannelPattern,
                IgnoredEntities = [.. channel.IgnoredEntities],
                Fallback = channel.Fallback is ScorerFallback.Refuse ? "refuse" : "review",
            })],
            (long)policy.HoldFor.TotalSeconds, policy.LetThrough is { } through ? new() { Share = through.Share, ValuePerDayMax = through.ValuePerDayMax } : null, written.WrittenBy, Wire.Of(written.WrittenAt));
    }

    /// <summary>The same salt in every version: whoever was let through this week still is after the share has grown.</summary>
    private static LetThrough? ReadLetThrough(LetThroughBody? body, InstallationSecret secret, FieldErrors errors) => body is null ? null : new(
        Check.Number(errors, body.Share, "/let_through/share", LetThroughBody.LetThroughShareMin, LetThrough.ShareMax),
        Check.Whole(errors, body.ValuePerDayMax, "/let_through/value_per_day_max", 1, Bounds.UnitPriceMax),
        secret.Salt(LetThroughSalt));

    private static FraudCosts Costs(FraudCostsBody? body, FieldErrors errors)
    {
        if (body is null)
        {
            errors.Add("/costs", "required", "Is missing.");
            return FraudCosts.Default;
        }
        return new(
            Check.Whole(errors, body.WrongedCustomer, "/costs/wronged_customer", 0, Bounds.UnitPriceMax),
            Check.Whole(errors, body.Review, "/costs/review", 0, Bounds.UnitPriceMax),
            Check.Number(errors, body.AbuseMultiple, "/costs/abuse_multiple", 1, 1_000),
            Check.Whole(errors, body.LossMin, "/costs/loss_min", 0, Bounds.UnitPriceMax),
            Check.Number(errors, body.ReviewCatches, "/costs/review_catches", 0, 1),
            body.GoodsShare is null ? 0 : Check.Number(errors, body.GoodsShare, "/costs/goods_share", 0, 1));
    }

    private static HardRule[] HardRules(HardRuleBody?[]? bodies, Func<string, bool> isFeature, FieldErrors errors)
    {
        const string Parent = "/hard_rules";
        if (bodies is null or []) return [];
        if (bodies.Length > Bounds.HardRulesMax)
        {
            errors.Add(Parent, "too_many", $"At most {Bounds.HardRulesMax}.");
            return [];
        }
        var rules = new HardRule[bodies.Length];
        for (var i = 0; i < rules.Length; i++)
        {
            var body = bodies[i] ?? new();
            var name = Check.Id(errors, body.Name, new At(Parent, i, "name"));
            if (name.Length > 0 && rules.Take(i).Any(rule => rule.Name == name)) errors.Add(new At(Parent, i, "name"), "repeated", "Another rule has this name.");
            var feature = Check.Text(errors, body.Feature, new At(Parent, i, "feature"), Bounds.NameMax);
            if (feature.Length > 0 && !isFeature(feature)) errors.Add(new At(Parent, i, "feature"), "unknown_feature", "No feature has this name; the reasons of flags show the names.");
            // A feature is a float32: what does not fit into one could never be reached.
            rules[i] = new(name, feature, (float)Check.Number(errors, body.AtLeast, new At(Parent, i, "at_least"), -float.MaxValue, float.MaxValue),
                Check.OptionalText(errors, body.Note, new At(Parent, i, "note"), Bounds.NameMax),
                body.Code is null ? null : Check.Code(errors, body.Code, new At(Parent, i, "code")),
                body.StrangersOnly ?? false);
        }
        return rules;
    }

    private static ChannelPolicy[] Channels(ChannelPolicyBody?[]? bodies, FieldErrors errors)
    {
        const string Parent = "/channels";
        if (bodies is null or []) return [];
        if (bodies.Length > Bounds.ChannelPoliciesMax)
        {
            errors.Add(Parent, "too_many", $"At most {Bounds.ChannelPoliciesMax}.");
            return [];
        }
        var channels = new ChannelPolicy[bodies.Length];
        for (var i = 0; i < channels.Length; i++)
        {
            var body = bodies[i] ?? new();
            var fallback = body.Fallback switch { "review" => ScorerFallback.Review, "refuse" => ScorerFallback.Refuse, _ => ScorerFallback.None };
            if (fallback is ScorerFallback.None) errors.Add(new At(Parent, i, "fallback"), body.Fallback is null ? "required" : "unknown_value", "Must be review or refuse.");
            channels[i] = new(Pattern(body.Channel, channels.Take(i), new At(Parent, i, "channel"), errors), Ignored(body.IgnoredEntities, $"{Parent}/{i}/ignored_entities", errors), fallback);
        }
        return channels;
    }

    private static string Pattern(string? pattern, IEnumerable<ChannelPolicy> before, in At at, FieldErrors errors)
    {
        // An asterisk alone is every channel; otherwise what stands before it must be the beginning of an id.
        if (pattern is not "*" && !Domain.Identifier.IsValid(pattern is [.. var prefix, '*'] ? prefix : pattern))
        {
            errors.Add(at, pattern is null ? "required" : "invalid_pattern", "Must be a channel's id, or a prefix ending in *.");
            return "";
        }
        // An earlier pattern that takes everything this one does would hide it for ever.
        if (before.FirstOrDefault(earlier => earlier.ChannelPattern == pattern || (earlier.ChannelPattern.EndsWith('*') && earlier.Matches(pattern!.TrimEnd('*')))) is { } hiding)
        {
            if (hiding.ChannelPattern == pattern) errors.Add(at, "repeated", "Another entry has this channel.");
            else errors.Add(at, "unreachable", $"An earlier entry, {hiding.ChannelPattern}, takes all of it: put this one before.");
        }
        return pattern!;
    }

    private static List<string> Ignored(string?[]? kinds, string parent, FieldErrors errors)
    {
        if (kinds is null or []) return [];
        if (kinds.Length > IgnorableEntities.Length)
        {
            errors.Add(parent, "too_many", $"There are {IgnorableEntities.Length} kinds.");
            return [];
        }
        var ignored = new List<string>(kinds.Length);
        for (var i = 0; i < kinds.Length; i++)
        {
            if (kinds[i] is not { } kind || !IgnorableEntities.Contains(kind, StringComparer.Ordinal))
                errors.Add(new At(parent, i, ""), kinds[i] is null ? "required" : "unknown_value", "Must be device, ip, network, payment_token or address: a customer and a code always count.");
            else if (ignored.Contains(kind, StringComparer.Ordinal)) errors.Add(new At(parent, i, ""), "repeated", "Is named twice.");
            else ignored.Add(kind);
        }
        return ignored;
    }
}
