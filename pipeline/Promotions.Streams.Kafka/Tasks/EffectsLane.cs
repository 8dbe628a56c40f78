using Promotions.Streams.Kafka.Transport;

namespace Promotions.Streams.Kafka.Tasks;

/// <summary>One task's way to <see cref="IEffects"/>: while one batch is applied, the next collects. What fails is tried again, later and later; what it answers is published.</summary>
internal sealed class EffectsLane(TaskId task, IEffects effects, long epoch, Publisher publisher, int queueMax, TimeProvider time, Action<Exception> retrying, Action fenced) : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closed = new();
    private List<SinkOutput> _waiting = [];
    private List<AckInterval> _intervals = [];      // of each that waits
    private bool _runs;

    /// <summary>So many wait that the task should.</summary>
    public bool IsCrowded
    {
        get
        {
            lock (_gate) return _waiting.Count >= queueMax;
        }
    }

    public void Add(in SinkOutput output, AckInterval interval)
    {
        interval.Add();
        lock (_gate)
        {
            _waiting.Add(output);
            _intervals.Add(interval);
        }
    }

    /// <summary>Applies what waits, unless that goes on already.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (_runs || _waiting.Count == 0) return;
            _runs = true;
        }

        _ = Task.Run(RunAsync);
    }

    /// <summary>Not disposed: a batch that is under way still looks at the token.</summary>
    public void Dispose() => _closed.Cancel();

    private async Task RunAsync()
    {
        var token = _closed.Token;
        while (true)
        {
            List<SinkOutput> outputs;
            List<AckInterval> intervals;
            lock (_gate)
            {
                if (_waiting.Count == 0)
                {
                    _runs = false;
                    return;
                }

                (outputs, intervals, _waiting, _intervals) = (_waiting, _intervals, [], []);
            }

            if (await ApplyAsync(outputs, token).ConfigureAwait(false) is not { } answers) return;

            // The oldest interval answers for all: a later checkpoint waits for the earlier ones' intervals too.
            foreach (var answer in answers) publisher.Send(answer, intervals[0]);
            foreach (var interval in intervals) interval.Done();
        }
    }

    /// <returns>Null when the task is over.</returns>
    private async Task<IReadOnlyList<OutgoingRecord>?> ApplyAsync(List<SinkOutput> outputs, CancellationToken cancellationToken)
    {
        for (var wait = FirstRetry; ; wait = wait * 2 < LastRetry ? wait * 2 : LastRetry)
        {
            try
            {
                return await effects.ApplyAsync(task, epoch, outputs, cancellationToken).ConfigureAwait(false);
            }
            catch (EpochPassedException)
            {
                fenced();
                return null;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return null;
            }
            catch (Exception fault)
            {
                retrying(fault);
            }

            try
            {
                await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }
    }
}
