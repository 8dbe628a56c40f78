namespace Promotions.Training;

/// <summary>What a team that looks at k entities a day would find.</summary>
public static class CardPrecision
{
    /// <summary>Mean over the days of the share of that day's k highest entities that had an abusive row. An entity counts once a day, with its highest score; one that
    /// was found abusive among the k is not looked at on later days.</summary>
    /// <remarks>Equal scores are taken honest entities first: the answer is the least that an order of the ties can give. A day of fewer than k entities still divides by k.</remarks>
    /// <param name="rows">In any order.</param>
    /// <param name="k">1 or more.</param>
    /// <exception cref="InvalidDataException">No rows.</exception>
    public static double AtK(IEnumerable<(int Day, ulong Entity, double Score, bool Abuse)> rows, int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        var found = new HashSet<ulong>();
        var days = new List<double>();
        foreach (var day in rows.GroupBy(row => row.Day).OrderBy(group => group.Key))
        {
            var looked = day.Where(row => !found.Contains(row.Entity)).GroupBy(row => row.Entity)
                .Select(own => (Entity: own.Key, Score: own.Max(row => row.Score), Abuse: own.Any(row => row.Abuse)))
                .OrderByDescending(card => card.Score).ThenBy(card => card.Abuse).ThenBy(card => card.Entity).Take(k);
            var hits = looked.Where(card => card.Abuse).Select(card => card.Entity).ToList();
            found.UnionWith(hits);
            days.Add((double)hits.Count / k);
        }
        return days.Count > 0 ? days.Average() : throw new InvalidDataException("There are no rows to look at.");
    }
}
