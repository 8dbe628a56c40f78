using Promotions.Faults.Checking;

namespace Promotions.Faults.Traffic;

/// <summary>Callers who play the stories of a book one after another, at a bounded rate, until they are told to stop.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly Checkout _checkout;
    private readonly StoryBook _book;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _giveUp = new();
    private readonly TimeSpan _betweenStories;
    private readonly Task[] _callers;
    private int _next = -1;

    /// <param name="storiesPerSecond">Of all callers together, at most.</param>
    public Load(Checkout checkout, StoryBook book, int callers, double storiesPerSecond)
    {
        (_checkout, _book) = (checkout, book);
        _betweenStories = TimeSpan.FromSeconds(callers / storiesPerSecond);
        _callers = [.. Enumerable.Range(0, callers).Select(_ => Task.Run(CallAsync))];
    }

    /// <summary>No new stories; those begun are told to their end, and what has no answer by then stays open.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        await _stop.CancelAsync();
        _giveUp.CancelAfter(patience);
        await Task.WhenAll(_callers);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _stop.Dispose();
        _giveUp.Dispose();
    }

    private async Task CallAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var pause = Task.Delay(_betweenStories, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            await PlayAsync(_book.Tell(Interlocked.Increment(ref _next)), _giveUp.Token);
            await pause;
        }
    }

    private async Task PlayAsync(Story story, CancellationToken giveUp)
    {
        var told = new List<Call>();
        if (story.Before is { } before && await AskAsync(before) is null) return;
        var twin = story.SentTwice ? _checkout.AskAsync(story.Redeem, giveUp) : Task.FromResult<Reply?>(null);
        var reply = await AskAsync(story.Redeem);
        await twin;
        if (reply is not { IsAcknowledged: true } answer) return;
        if (story.Conflicting is { } other) await _checkout.AskOtherwiseAsync(other, giveUp);
        if (Answers.IsGranted(answer))
            foreach (var call in story.After)
                if (await AskAsync(call) is not { IsAcknowledged: true })
                    break;
        if (!story.AskedAgain) return;
        foreach (var call in told.ToArray()) await _checkout.AskAsync(call, giveUp);

        async Task<Reply?> AskAsync(Call call)
        {
            var asked = await _checkout.AskAsync(call, giveUp);
            if (asked is { IsAcknowledged: true }) told.Add(call);
            return asked;
        }
    }
}
