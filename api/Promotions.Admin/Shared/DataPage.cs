using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Promotions.Admin.Hosting;
using Promotions.Admin.SignIn;

namespace Promotions.Admin.Shared;

internal enum LoadState : byte { Loading = 0, Ready = 1, Failed = 2 }

/// <summary>A page that reads data: loading, ready or failed, and again after a failure.</summary>
public abstract partial class DataPage : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource _gone = new();

    [Inject] protected TimeProvider Time { get; set; } = null!;
    [Inject] protected IOptions<AdminOptions> Options { get; set; } = null!;
    [Inject] private AdminSession Session { get; set; } = null!;
    [Inject] private ILogger<DataPage> Log { get; set; } = null!;

    internal LoadState State { get; private set; }

    /// <summary>Ends when the page is left.</summary>
    protected CancellationToken Gone => _gone.Token;

    /// <summary>Reads what the page shows. A throw shows the error state.</summary>
    protected abstract Task ReadAsync();

    protected override Task OnParametersSetAsync() => LoadAsync();

    protected async Task LoadAsync()
    {
        if (State is LoadState.Failed) State = LoadState.Loading;
        await ReadGuardedAsync();
    }

    /// <summary>Reads again every <see cref="AdminOptions.RefreshEvery"/> until the page is left; after a failure too, so that it heals by itself.</summary>
    protected Task KeepReadingAsync() => KeepReadingAsync(Options.Value.RefreshEvery, static () => true);

    /// <param name="isDue">Asked at every tick; a failed page is always read again.</param>
    protected async Task KeepReadingAsync(TimeSpan every, Func<bool> isDue)
    {
        using var timer = new PeriodicTimer(every, Time);
        try
        {
            while (await timer.WaitForNextTickAsync(Gone))
            {
                await ReadGuardedAsync(isDue);
                StateHasChanged();
            }
        }
        catch (OperationCanceledException) when (Gone.IsCancellationRequested) { /* the page was left */ }
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        _gone.Cancel();
        _gone.Dispose();
    }

    private async Task ReadGuardedAsync(Func<bool>? isDue = null)
    {
        try
        {
            if (State is not LoadState.Failed && isDue?.Invoke() is false) return;
            if (await Session.RequireAsync(Gone) is null) return;
            await ReadAsync();
            State = LoadState.Ready;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The edge: whatever broke behind the ports, the person sees a sentence and a way on, and the log has the rest.
            if (State is not LoadState.Failed) ReadFailed(Log, GetType().Name, e);
            State = LoadState.Failed;
        }
    }

    [LoggerMessage(EventId = 6001, Level = LogLevel.Warning, Message = "The page {Page} could not read its data")]
    private static partial void ReadFailed(ILogger logger, string page, Exception exception);
}
