using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Promotions.Api.Accounts;
using Promotions.Api.Webhooks;
using Promotions.Domain;
using Promotions.Ledger;

namespace Promotions.Api.Tests;

/// <summary>Events reach a real receiver signed, in order, each at least once, whatever becomes of the receiver or of us.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private const string Strict = """
        {"version": 1, "costs": {"wronged_customer": 0, "review": 150, "abuse_multiple": 5, "loss_min": 500, "review_catches": 0.8}, "review_floor": 0.05, "hold_seconds": 60}
        """;

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly WebhookOptions _options = new() { AllowPrivate = true };
    private ApiHost _host = null!;
    private Receiver _receiver = null!;
    private WebhookSender _sender = null!;
    private WebhookBook _book = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await ApiHost.StartAsync(score: 0.95f);
        _receiver = await Receiver.StartAsync();
        _sender = new(_options, _time);
        _book = new(_host.Settings, _host.Ledger.Reader, System.Security.Cryptography.RandomNumberGenerator.Create(), _time);
    }

    public async ValueTask DisposeAsync()
    {
        _sender.Dispose();
        await _receiver.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task A_flag_its_answer_and_what_became_of_a_hold_arrive_in_order_signed_and_once()
    {
        await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", Strict.Replace("\"wronged_customer\": 0", "\"wronged_customer\": 1000000", StringComparison.Ordinal));
        var record = await MakeAsync(WebhookEvents.All);
        await RedeemAsync("r-1");
        await _host.ExpectAsync(200, "POST", "/v1/flags/r-1/answer", """{"abuse": false}""");
        await _host.ExpectAsync(200, "POST", "/v1/redemptions/r-1/capture", "{}", "checkout");
        await RoundsAsync();

        Assert.Equal([WebhookEvents.Decided, WebhookEvents.FlagRaised, WebhookEvents.FlagAnswered, WebhookEvents.Captured], _receiver.Got.Select(got => got.Body["type"]!.GetValue<string>()));
        foreach (var got in _receiver.Got) Assert.Equal(got.Signature, WebhookSignature.Sign(record.Secret, got.Id, long.Parse(got.Timestamp, System.Globalization.CultureInfo.InvariantCulture), got.Bytes));
        Assert.Equal(4, _receiver.Got.Select(got => got.Id).Distinct().Count());
        var flag = _receiver.Got.ElementAt(1).Body["data"]!;
        Assert.Equal(("r-1", "c-1", "review"), (flag["redemption_id"]!.GetValue<string>(), flag["customer_id"]!.GetValue<string>(), flag["status"]!.GetValue<string>()));
        Assert.Equal(0.95, flag["probability"]!.GetValue<double>(), 1e-6);

        await RoundsAsync();
        Assert.Equal(4, _receiver.Got.Count);
        Assert.Equal((_host.Ledger.Reader.LastOutboxPosition, 4L), (_book.CursorOf(record).Position, _book.CursorOf(record).Delivered));
    }

    [Fact]
    public async Task A_flag_below_the_level_an_event_that_nobody_asked_for_and_what_was_before_are_not_sent()
    {
        await RedeemAsync("r-before");
        await MakeAsync([WebhookEvents.FlagRaised]);
        await new FlagRulesStore(_host.Settings).PutAsync(FlagRules.Default with { NotifyFrom = 0.96 }, new("admin", "ada"));
        await _host.ExpectAsync(200, "PUT", "/v1/policies/fraud", Strict);
        await RedeemAsync("r-1");
        await RoundsAsync();
        Assert.Empty(_receiver.Got);
    }

    [Fact]
    public async Task A_receiver_that_is_away_misses_nothing_and_holds_no_other_up()
    {
        await using var other = await Receiver.StartAsync();
        var failing = await MakeAsync([WebhookEvents.Decided]);
        await MakeAsync([WebhookEvents.Decided], other.Url);
        _receiver.Status = 503;
        for (var i = 0; i < 3; i++) await RedeemAsync($"r-{i}");
        await RoundsAsync();
        Assert.Equal((1, 3), (_receiver.Got.Count, other.Got.Count));
        var cursor = _book.CursorOf(failing);
        Assert.Equal((1, "redemption.decided: It answered 503."), (cursor.Attempts, cursor.LastError));

        await RoundsAsync();
        Assert.Single(_receiver.Got);                       // not before its time
        _time.Advance(TimeSpan.FromSeconds(8));
        await RoundsAsync();
        Assert.Equal(2, _receiver.Got.Count);

        _receiver.Status = 200;
        _time.Advance(TimeSpan.FromSeconds(30));
        await RoundsAsync();
        Assert.Equal(["r-0", "r-0", "r-0", "r-1", "r-2"], _receiver.Got.Select(got => got.Body["data"]!["redemption_id"]!.GetValue<string>()));
        Assert.Single(_receiver.Got.Take(3).Select(got => got.Id).Distinct());
        Assert.Equal((3, null, 0), (_book.CursorOf(failing).Delivered, _book.CursorOf(failing).FailingSince, _book.CursorOf(failing).Attempts));
    }

    [Fact]
    public async Task Whoever_takes_over_after_a_crash_goes_on_where_the_other_stood()
    {
        var record = await MakeAsync([WebhookEvents.Decided]);
        await RedeemAsync("r-1");
        _receiver.Hangs = true;
        using var crash = new CancellationTokenSource();
        var round = Follower().RoundAsync(_host.Settings, crash.Token);
        await _receiver.Arrived.WaitAsync(TestContext.Current.CancellationToken);
        await crash.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => round);

        _receiver.Hangs = false;
        await RoundsAsync();
        Assert.Equal(2, _receiver.Got.Count);
        Assert.Single(_receiver.Got.Select(got => got.Id).Distinct());
        Assert.Equal(1, _book.CursorOf(record).Delivered);
    }

    [Fact]
    public async Task One_that_takes_nothing_for_days_is_suspended_and_goes_on_from_there_when_it_is_enabled_again()
    {
        var record = await MakeAsync([WebhookEvents.Decided]);
        await RedeemAsync("r-1");
        _receiver.Status = 500;
        for (var hours = 0; hours < 74; hours++)
        {
            await RoundsAsync();
            _time.Advance(TimeSpan.FromHours(1.5));
        }

        Assert.Contains("It took nothing for 3", _book.Find(record.Id)!.SuspendedBecause, StringComparison.Ordinal);
        var tried = _receiver.Got.Count;
        await RoundsAsync();
        Assert.Equal(tried, _receiver.Got.Count);

        _receiver.Status = 200;
        await _book.ChangeAsync(_book.Find(record.Id)!, record.Url, record.Events, null, true, new("admin", "ada"));
        _time.Advance(TimeSpan.FromHours(2));
        await RoundsAsync();
        Assert.Equal(1, _book.CursorOf(record).Delivered);
    }

    [Fact]
    public async Task An_event_that_is_refused_for_a_day_is_left_out_and_one_who_is_gone_is_suspended_at_once()
    {
        var record = await MakeAsync([WebhookEvents.Decided]);
        await RedeemAsync("r-bad");
        await RedeemAsync("r-good");
        _receiver.StatusOf = body => body["data"]!["redemption_id"]!.GetValue<string>() == "r-bad" ? 422 : 200;
        for (var round = 0; round < 20; round++)
        {
            await RoundsAsync();
            _time.Advance(TimeSpan.FromHours(1.5));
        }

        Assert.Equal((1L, 1L), (_book.CursorOf(record).GivenUp, _book.CursorOf(record).Delivered));
        _receiver.StatusOf = _ => 410;
        await RedeemAsync("r-late");
        await RoundsAsync();
        Assert.Contains("410", _book.Find(record.Id)!.SuspendedBecause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_rotation_both_secrets_sign_for_a_day()
    {
        var record = await _book.RotateAsync(await MakeAsync([WebhookEvents.Decided]), new("admin", "ada"));
        await RedeemAsync("r-1");
        await RoundsAsync();
        var got = _receiver.Got.Single();
        var seconds = long.Parse(got.Timestamp, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal($"{WebhookSignature.Sign(record.Secret, got.Id, seconds, got.Bytes)} {WebhookSignature.Sign(record.OldSecret!, got.Id, seconds, got.Bytes)}", got.Signature);
        _time.Advance(TimeSpan.FromHours(25));
        await RedeemAsync("r-2");
        await RoundsAsync();
        Assert.DoesNotContain(' ', _receiver.Got.Last().Signature);
    }

    [Fact]
    public async Task Without_leave_no_private_address_is_connected_to_and_no_redirect_followed()
    {
        using var careful = new WebhookSender(new(), _time);
        var record = await MakeAsync([WebhookEvents.Decided]);
        var attempt = await careful.SendAsync(record, "evt-1", "{}"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Contains("has no public address", attempt.Error, StringComparison.Ordinal);
        attempt = await careful.SendAsync(record with { Url = record.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal) }, "evt-1", "{}"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Contains("has no public address", attempt.Error, StringComparison.Ordinal);
        Assert.Empty(_receiver.Got);

        _receiver.Status = 302;
        Assert.Equal(302, (await _sender.SendAsync(record, "evt-1", "{}"u8.ToArray(), TestContext.Current.CancellationToken)).Status);
        Assert.Single(_receiver.Got);
    }

    [Fact]
    public async Task Over_HTTP_an_endpoint_is_made_seen_changed_rotated_tried_and_deleted_and_its_secret_is_shown_once()
    {
        var leaves = _host.Ledger.Audit.Size;
        var made = (await _host.ExpectAsync(201, "POST", "/v1/webhooks", """{"url": "https://hooks.example.com/x", "events": ["flag.raised"], "description": "desk"}""")).Json;
        var id = made["id"]!.GetValue<string>();
        Assert.StartsWith("whsec_", made["secret"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(leaves + 1, _host.Ledger.Audit.Size);
        var seen = await _host.ExpectAsync(200, "GET", $"/v1/webhooks/{id}");
        Assert.Equal("active", seen.Json["state"]!.GetValue<string>());
        Assert.DoesNotContain("whsec_", (await _host.ExpectAsync(200, "GET", "/v1/webhooks")).Text + seen.Text, StringComparison.Ordinal);
        Assert.Equal("disabled", (await _host.ExpectAsync(200, "PUT", $"/v1/webhooks/{id}", """{"url": "https://hooks.example.com/y", "events": ["flag.raised", "redemption.captured"], "enabled": false}""")).Json["state"]!.GetValue<string>());
        Assert.NotEqual(made["secret"]!.GetValue<string>(), (await _host.ExpectAsync(200, "POST", $"/v1/webhooks/{id}/rotate-secret")).Json["secret"]!.GetValue<string>());
        await _host.ExpectAsync(204, "DELETE", $"/v1/webhooks/{id}");
        Assert.Equal("not_found", (await _host.ExpectAsync(404, "GET", $"/v1/webhooks/{id}")).Code);
        Assert.Equal("not_allowed", (await _host.ExpectAsync(403, "GET", "/v1/webhooks", key: "checkout")).Code);
        Assert.Equal("channel_not_allowed", (await _host.ExpectAsync(403, "GET", "/v1/webhooks", key: await _host.NewKeyAsync("\"admin\"", "\"web-de\""))).Code);
    }

    [Theory]
    [InlineData("http://hooks.example.com/x", "[\"flag.raised\"]", "/url", "not_allowed")]
    [InlineData("https://user:secret@hooks.example.com/", "[\"flag.raised\"]", "/url", "not_allowed")]
    [InlineData("https://127.0.0.1/", "[\"flag.raised\"]", "/url", "not_allowed")]
    [InlineData("https://[::1]:8443/", "[\"flag.raised\"]", "/url", "not_allowed")]
    [InlineData("hooks.example.com", "[\"flag.raised\"]", "/url", "not_allowed")]
    [InlineData("https://hooks.example.com/", "[]", "/events", "required")]
    [InlineData("https://hooks.example.com/", "[\"flags\"]", "/events/0", "unknown_value")]
    [InlineData("https://hooks.example.com/", "[\"flag.raised\", \"flag.raised\"]", "/events/1", "repeated")]
    public async Task Each_mistake_has_one_code(string url, string events, string place, string code)
    {
        var answer = await _host.ExpectAsync(400, "POST", "/v1/webhooks", $$"""{"url": "{{url}}", "events": {{events}} }""");
        var error = Assert.Single(answer.Json["errors"]!.AsArray())!;
        Assert.Equal((place, code), (error["pointer"]!.GetValue<string>(), error["code"]!.GetValue<string>()));
    }

    private Task<WebhookRecord> MakeAsync(IReadOnlyList<string> events, string? url = null) =>
        _book.CreateAsync($"wh-{Guid.CreateVersion7():N}", url ?? _receiver.Url, events, null, true, new("admin", "ada"));

    private WebhookFollower Follower() => new(_book, _sender, _host.Ledger.Reader, new FlagRulesStore(_host.Settings), _options, _time);

    private async Task RoundsAsync()
    {
        while (await Follower().RoundAsync(_host.Settings, TestContext.Current.CancellationToken)) Assert.False(TestContext.Current.CancellationToken.IsCancellationRequested);
    }

    private Task<Answer> RedeemAsync(string id) => _host.ExpectAsync(200, "POST", "/v1/redemptions", $$"""
        {"id": "{{id}}", "channel": "web-de", "customer": {"id": "c-1"},
         "order": {"id": "o-{{id}}", "currency": "EUR", "items": [{"line": "1", "sku": "mug", "quantity": 2, "unit_price": {"amount": 1500, "currency": "EUR"} }]} }
        """, "checkout");

    private sealed record Received(string Id, string Timestamp, string Signature, byte[] Bytes)
    {
        public JsonNode Body => JsonNode.Parse(Bytes)!;
    }

    /// <summary>A receiver on loopback that answers as it is told.</summary>
    private sealed class Receiver : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private Receiver(WebApplication app) => _app = app;

        public ConcurrentQueue<Received> Got { get; } = new();
        public int Status { get; set; } = 200;
        public Func<JsonNode, int>? StatusOf { get; set; }
        public bool Hangs { get; set; }
        public Task Arrived => _arrived.Task;
        public string Url { get; private set; } = "";

        public static async Task<Receiver> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            var receiver = new Receiver(app);
            app.MapPost("/hook", receiver.TakeAsync);
            await app.StartAsync();
            receiver.Url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/hook";
            return receiver;
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private async Task TakeAsync(HttpContext context)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var got = new Received(context.Request.Headers["webhook-id"].Single()!, context.Request.Headers["webhook-timestamp"].Single()!, context.Request.Headers["webhook-signature"].Single()!, body.ToArray());
            Got.Enqueue(got);
            _arrived.TrySetResult();
            if (Hangs) await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default);
            context.Response.StatusCode = StatusOf?.Invoke(got.Body) ?? Status;
            if (context.Response.StatusCode == 302) context.Response.Headers.Location = "/elsewhere";
        }
    }
}
