namespace Promotions.Benchmarks.Handbook;

/// <summary>Which transactions a fold learns from and which it is measured on.</summary>
/// <param name="TrainDay">First day of the training week.</param>
internal sealed record HandbookFold(int TrainDay)
{
    public const int WeekDays = 7;

    /// <summary>Days between the end of the training week and the test week: the time that labels take.</summary>
    public const int DelayDays = 7;

    /// <summary>The published test folds: training weeks from 2018-07-25, 08-01, 08-08 and 08-15.</summary>
    public static readonly IReadOnlyList<HandbookFold> Test = [new(115), new(122), new(129), new(136)];

    /// <summary>The weeks before, on which the configuration is chosen: every label of their test weeks (07-04 to 07-31) has arrived before the first test day, 08-08.</summary>
    public static readonly IReadOnlyList<HandbookFold> Selection = [new(80), new(87), new(94), new(101)];

    public int TestDay => TrainDay + WeekDays + DelayDays;

    /// <summary>Where the rows of the training week and of the test week lie in the file; the latter without customers that are known to be defrauded.</summary>
    /// <remarks>Known on a test day: who was defrauded in the training week, and from its end to eight days before.</remarks>
    public (List<int> Train, List<int> Test) Split(IReadOnlyList<HandbookTransaction> transactions)
    {
        var (train, test) = (new List<int>(), new List<int>());
        var fraudDay = new Dictionary<int, int>();       // first fraud of a customer from the training week on
        for (var i = 0; i < transactions.Count; i++)
        {
            var t = transactions[i];
            if (t.Day < TrainDay || t.Day >= TestDay + WeekDays) continue;
            if (t.Fraud) fraudDay.TryAdd(t.Customer, t.Day);
            if (t.Day < TrainDay + WeekDays) train.Add(i);
            else if (t.Day >= TestDay && !(fraudDay.TryGetValue(t.Customer, out var day) && IsKnown(day, t.Day))) test.Add(i);
        }
        return (train, test);
    }

    private bool IsKnown(int fraudDay, int testDay) => fraudDay < TrainDay + WeekDays || fraudDay <= testDay - DelayDays - 1;
}
