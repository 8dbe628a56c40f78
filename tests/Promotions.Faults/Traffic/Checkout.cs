using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Promotions.Faults.Checking;

namespace Promotions.Faults.Traffic;

/// <summary>Sends calls as a checkout does: under the same id until there is an answer. Every answer goes into the journal.</summary>
internal sealed class Checkout(Uri address, string checkoutKey, string adminKey, Journal journal) : IDisposable
{
    /// <summary>Longer than the API's own patience, so that the API says what it knows.</summary>
    private static readonly TimeSpan AttemptWithin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 256 }) { BaseAddress = address, Timeout = AttemptWithin };

    /// <summary>Until there is an answer that is one, or nobody waits any more: then the call stays open in the journal.</summary>
    /// <returns>Null when it was given up.</returns>
    public async Task<Reply?> AskAsync(Call call, CancellationToken giveUp)
    {
        journal.Asked(call);
        while (!giveUp.IsCancellationRequested)
        {
            var reply = await TryAsync(call, giveUp);
            if (reply is { IsOpen: false } answer)
            {
                journal.Answered(call, answer, Stopwatch.GetTimestamp());
                return answer;
            }

            try
            {
                await Task.Delay(Pause, giveUp);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        return null;
    }

    /// <summary>An id that was answered, with another content: only a refusal is right.</summary>
    public async Task AskOtherwiseAsync(Call call, CancellationToken giveUp)
    {
        while (!giveUp.IsCancellationRequested)
        {
            if (await TryAsync(call, giveUp) is { IsOpen: false } answer)
            {
                journal.AnsweredOtherwise(call, answer);
                return;
            }

            await Task.Delay(Pause, giveUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>For preparations, which no fault disturbs.</summary>
    /// <exception cref="InvalidOperationException">It was refused.</exception>
    public async Task PrepareAsync(string path, string json, CancellationToken cancellationToken)
    {
        for (var left = 20; ; left--)
        {
            var reply = await SendAsync(path, json, adminKey, cancellationToken);
            if (reply.IsAcknowledged) return;
            if (!reply.IsOpen || left == 0) throw new InvalidOperationException($"{path} was answered with {reply.Status}: {reply.Body}");
            await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<Reply?> TryAsync(Call call, CancellationToken giveUp)
    {
        journal.Sent();
        try
        {
            var reply = await SendAsync(call.Path, call.Body, call.IsAdmins ? adminKey : checkoutKey, giveUp);
            if (reply.IsOpen) journal.LeftOpen(reply);
            return reply;
        }
        catch (Exception fault) when (fault is HttpRequestException or SocketException or OperationCanceledException or IOException)
        {
            journal.Unanswered();
            return null;       // asked again under the same id
        }
    }

    private async Task<Reply> SendAsync(string path, string? json, string key, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await _client.SendAsync(request, cancellationToken);
        return new((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }
}
