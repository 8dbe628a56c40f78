using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Promotions.Domain;

namespace Promotions.Api.Webhooks;

/// <summary>What an attempt came to.</summary>
/// <param name="Status">HTTP; null where there was no answer.</param>
/// <param name="Error">Null where it was taken.</param>
/// <param name="RetryAfter">What the receiver asked for.</param>
public sealed record WebhookAttempt(int? Status, string? Error, TimeSpan? RetryAfter = null)
{
    public bool IsTaken => Error is null;

    /// <summary>The receiver says that it is no more.</summary>
    public bool IsGone => Status == 410;

    /// <summary>It is this event that it does not take, not its trouble of the moment.</summary>
    public bool IsRefused => Status is >= 400 and < 500 and not (401 or 403 or 404 or 408 or 410 or 425 or 429);
}

/// <summary>Sends one event, signed. Follows no redirect, goes through no proxy, and connects to no address that is not public: each name is looked up once and what was found is what is connected to.</summary>
public sealed class WebhookSender : IDisposable
{
    private readonly WebhookOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    public WebhookSender(WebhookOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = options.AttemptTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),       // names move
            MaxResponseHeadersLength = 16,
            ConnectCallback = ConnectAsync,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Why nothing can be sent to such an address; null where it can, as far as its text tells.</summary>
    public string? Refuse(string url) =>
        !Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") ? "Must be an https address."
        : uri.Scheme == "http" && !_options.AllowPrivate ? "Must be https: events are signed, not hidden."
        : uri.UserInfo.Length > 0 ? "Must hold no password: events are signed."
        : uri.Fragment.Length > 0 ? "Must have no fragment."
        : IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && !IsAllowed(address) ? "Must be a public address."
        : null;

    public async Task<WebhookAttempt> SendAsync(WebhookRecord to, string id, byte[] body, CancellationToken cancellationToken)
    {
        var now = EventTime.Now(_time);
        var seconds = now.UnixMilliseconds / 1_000;
        var signature = WebhookSignature.Sign(to.Secret, id, seconds, body);
        if (to.OldSecret is { } old && to.OldSecretUntil > now.UnixMilliseconds) signature += " " + WebhookSignature.Sign(old, id, seconds, body);
        using var limit = new CancellationTokenSource(_options.AttemptTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, to.Url) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new("application/json");
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Promotions", "1"));
            request.Headers.Add("webhook-id", id);
            request.Headers.Add("webhook-timestamp", seconds.ToString(CultureInfo.InvariantCulture));
            request.Headers.Add("webhook-signature", signature);
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            var status = (int)answer.StatusCode;
            return status is >= 200 and < 300 ? new(status, null) : new(status, string.Create(CultureInfo.InvariantCulture, $"It answered {status}."), RetryAfter(answer, now));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(null, string.Create(CultureInfo.InvariantCulture, $"No answer within {_options.AttemptTimeout.TotalSeconds:0} s."));
        }
        catch (HttpRequestException fault)
        {
            return new(null, fault.InnerException is ForbiddenAddressException or SocketException ? fault.InnerException.Message : fault.Message);
        }
        catch (SocketException fault)
        {
            return new(null, fault.Message);        // SocketsHttpHandler passes it on bare when the receiver goes between connecting and being asked for its address
        }
    }

    public void Dispose() => _http.Dispose();

    private static TimeSpan? RetryAfter(HttpResponseMessage answer, EventTime now) =>
        answer.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - now.ToDateTimeOffset(),
            _ => null,
        };

    private bool IsAllowed(IPAddress address) => _options.AllowPrivate || PublicAddress.Is(address);

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken);
        IPAddress[] allowed = [.. addresses.Where(IsAllowed)];
        if (allowed.Length == 0) throw new ForbiddenAddressException($"{host} has no public address.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed class ForbiddenAddressException(string message) : IOException(message);
}
