using System.Net.Http.Headers;
using System.Text;

namespace Promotions.Benchmarks.Http;

/// <summary>Calls a system that runs on this machine, with the keys that it left in its data folder.</summary>
internal sealed class ApiCaller(string data, int port) : IDisposable
{
    public int Port => port;
    public HttpClient Client { get; } = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

    public async Task<string> KeyAsync(string name, CancellationToken cancellationToken) =>
        (await File.ReadAllTextAsync(Path.Combine(data, "keys", name + ".key"), cancellationToken)).Trim();

    /// <exception cref="InvalidOperationException">It was refused.</exception>
    public async Task PostAsync(string path, string json, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(path, json, await KeyAsync("admin", cancellationToken), cancellationToken);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellationToken)}");
    }

    public async Task<HttpResponseMessage> SendAsync(string path, string json, string key, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await Client.SendAsync(request, cancellationToken);
    }

    public void Dispose() => Client.Dispose();
}
