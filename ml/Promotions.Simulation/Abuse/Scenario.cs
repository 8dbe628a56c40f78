namespace Promotions.Simulation.Abuse;

/// <summary>One kind of abuse, as its file says. The format is described in <c>Scenarios/README.md</c>.</summary>
public sealed record Scenario
{
    /// <summary>1.</summary>
    public required int Format { get; init; }
    /// <summary>The kind's name: a-z, 0-9 and _, 1 to 40 characters. The truth of each of its attempts.</summary>
    public required string Kind { get; init; }
    public required string Description { get; init; }
    /// <summary>Rings that start in 30 days for 10,000 customers.</summary>
    public required double RingsPerMonth { get; init; }
    public required NumberRange DurationHours { get; init; }
    /// <summary>Hours of the day (UTC) in which a ring works, last one included.</summary>
    public NumberRange HoursOfDay { get; init; } = new(0, 23);
    public required NumberRange Accounts { get; init; }
    public required NumberRange AttemptsPerAccount { get; init; }
    /// <summary>Time between two attempts of one account.</summary>
    public required NumberRange GapSeconds { get; init; }
    public required NumberRange AccountAgeHours { get; init; }
    public required EntityPools Pools { get; init; }
    public required CodeChoice Codes { get; init; }
    public required CartChoice Cart { get; init; }
    public IReadOnlyList<string> Channels { get; init; } = ["web-de"];
    /// <summary>Share of attempts that only validate.</summary>
    public double ValidationShare { get; init; }
    public AfterApproval AfterApproval { get; init; } = new();
    public required LabelDelays Labels { get; init; }

    /// <summary>The same abuse with more or less of it, by people who take more or less care.</summary>
    /// <param name="intensity">Rings, times this; above 0.</param>
    /// <param name="care">Time between attempts, time that a ring takes and how many devices, ips, payments and addresses it has, times this; above 0, and 1 for the file's own.</param>
    public Scenario Turned(double intensity, double care)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(intensity);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(care);
        return this with
        {
            RingsPerMonth = Math.Min(RingsPerMonth * intensity, 1_000),
            DurationHours = DurationHours.Times(care, 1, 2_160),
            GapSeconds = GapSeconds.Times(care, 0, 2_592_000),
            Pools = Pools with { Devices = Pools.Devices?.Times(care, 0, 10_000), Ips = Pools.Ips?.Times(care, 0, 10_000), PaymentTokens = Pools.PaymentTokens?.Times(care, 0, 10_000), Addresses = Pools.Addresses?.Times(care, 0, 10_000) },
        };
    }
}

/// <summary>Both ends included.</summary>
public sealed record NumberRange(double Min, double Max)
{
    internal long Draw(ref Draws draws) => draws.Between((long)Min, (long)Max);
    internal NumberRange Times(double factor, double least, double most) => new(Math.Clamp(Min * factor, least, most), Math.Clamp(Max * factor, least, most));
    internal double DrawReal(ref Draws draws) => draws.Between(Min, Max);
}

/// <summary>How many different ones a ring shares among its accounts: 0 sends none; null gives every account its own.</summary>
public sealed record EntityPools
{
    public NumberRange? Devices { get; init; }
    public NumberRange? Ips { get; init; }
    public NumberRange? PaymentTokens { get; init; }
    public NumberRange? Addresses { get; init; }
    /// <summary><c>home</c>, <c>hosting</c> or <c>carrier</c>: where the ips lie.</summary>
    public string IpKind { get; init; } = "home";
}

/// <summary>What codes a ring tries.</summary>
public sealed record CodeChoice
{
    /// <summary><c>known</c>: one of <see cref="Known"/>. <c>guess</c>: <see cref="Pattern"/> filled at random.</summary>
    public required string Source { get; init; }
    public IReadOnlyList<string> Known { get; init; } = [];
    /// <summary># is a digit, @ a letter, anything else itself.</summary>
    public string? Pattern { get; init; }
    /// <summary>Share of guesses that hit a code of <see cref="Known"/> instead.</summary>
    public double HitShare { get; init; }
}

/// <param name="ValueMinorUnits">Cart before discounts.</param>
public sealed record CartChoice(NumberRange ValueMinorUnits, int LinesMax);

/// <summary>What a ring does with what it got. Shares of approved attempts, 0 to 1.</summary>
public sealed record AfterApproval
{
    /// <summary>The others are voided.</summary>
    public double CaptureShare { get; init; } = 1;
    /// <summary>Of captured ones.</summary>
    public double ReturnShare { get; init; }
    /// <summary>Share of the paid total that is given back.</summary>
    public double ReturnedPart { get; init; } = 1;
    public NumberRange ReturnAfterHours { get; init; } = new(24, 240);
}

/// <summary>When somebody finds out. Shares 0 to 1.</summary>
public sealed record LabelDelays
{
    /// <summary>A reviewer judges attempts that were blocked or sent to review, and this share of refused ones.</summary>
    public required NumberRange ReviewHours { get; init; }
    public double RefusedReviewShare { get; init; }
    /// <summary>Of approved attempts that nobody reviewed.</summary>
    public required double LateShare { get; init; }
    public required NumberRange LateDays { get; init; }
    /// <summary><c>chargeback</c> or <c>refund</c>.</summary>
    public string LateSource { get; init; } = "chargeback";
}
