using System.Collections.Concurrent;
using Promotions.Faults.Checking;
using Promotions.Faults.Set;
using Promotions.Faults.Traffic;

namespace Promotions.Faults.Scenarios;

/// <summary>A fault that is done to the running set, under traffic, once or several times.</summary>
internal abstract class Scenario
{
    /// <summary>As on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>One line for <c>--list</c>.</summary>
    public abstract string Says { get; }

    /// <summary>Kafka servers that it needs. Range: 1 or 3.</summary>
    public virtual int BrokersMin => 1;

    /// <summary>Does it once, and undoes it. Traffic is on, and goes on.</summary>
    public abstract Task StrikeAsync(Stage stage, int round, CancellationToken cancellationToken);
}

/// <summary>What a scenario acts on.</summary>
/// <param name="Stop">How long a stopped process sleeps. Default 60 s.</param>
/// <param name="Storm">How long members come and go. Default 60 s.</param>
/// <param name="Races">Rounds of the race for one code. Default 1,000.</param>
/// <param name="Pause">Between a fault and its end, where it has no length of its own. Default 8 s: longer than a session of the consumer group.</param>
internal sealed record Stage(ScaledSet Set, Journal Journal, Checkout Checkout, LedgerReading Ledger, StoryBook Book, int Seed, TimeSpan Stop, TimeSpan Storm, int Races, TimeSpan Pause, Action<string> Say)
{
    private readonly ConcurrentQueue<string> _notes = new();

    /// <summary>What was seen that the table has no column for.</summary>
    public IReadOnlyCollection<string> Notes => _notes;

    public void Note(string what)
    {
        _notes.Enqueue(what);
        Say(what);
    }
}
