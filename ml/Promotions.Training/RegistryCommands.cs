using System.CommandLine;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Promotions.Training;

/// <summary><c>promotions-ml register | shadow | promote | retire | models</c>: a model's life in a running system, over its HTTP API. Who acts is whose key it is.</summary>
public static class RegistryCommands
{
    private const string KeyVariable = "PROMOTIONS_API_KEY";

    internal static readonly Option<string> Server = new("--server") { Description = "The system's address.", DefaultValueFactory = _ => "http://127.0.0.1:8080" };
    internal static readonly Option<FileInfo?> KeyFile = new("--key-file") { Description = $"File with an admin's API key; without it, the key in {KeyVariable}." };

    public static IEnumerable<Command> Create() =>
    [
        Register(),
        Step("shadow", "Lets a registered model score every request and decide none."),
        Step("promote", "Makes a model in shadow the champion: the first person proposes, another one, with another key, confirms within seven days."),
        Step("retire", "Takes a candidate or challenger out of service."),
        List(),
    ];

    private static Command Register()
    {
        var file = new Argument<FileInfo>("model") { Description = "Model file, trained or imported." };
        var note = new Option<string>("--note") { Description = "What is to be known about it.", DefaultValueFactory = _ => "" };
        var command = new Command("register", "Keeps a model file in the running system as a candidate, once that has read and checked it.") { file, note, Server, KeyFile };
        command.SetAction((parsed, cancellationToken) => RegisterAsync(parsed, parsed.GetRequiredValue(file), parsed.GetRequiredValue(note), cancellationToken));
        return command;
    }

    /// <summary>With the server and key that the command line names.</summary>
    internal static Task<int> RegisterAsync(ParseResult parsed, FileInfo file, string note, CancellationToken cancellationToken) => RunAsync(parsed, async http =>
    {
        var bytes = await File.ReadAllBytesAsync(file.FullName, cancellationToken);
        var body = note.Length == 0 ? (object)new { file_base64 = Convert.ToBase64String(bytes) } : new { file_base64 = Convert.ToBase64String(bytes), note };
        using var answer = await AskAsync(http, HttpMethod.Post, "v1/models", JsonSerializer.Serialize(body), cancellationToken);
        Tell(parsed.InvocationConfiguration.Output, answer.RootElement);
    });

    private static Command Step(string verb, string description)
    {
        var hash = new Argument<string>("hash") { Description = "The model, by the hash of its file." };
        var command = new Command(verb, description) { hash, Server, KeyFile };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, async http =>
        {
            using var answer = await AskAsync(http, HttpMethod.Post, $"v1/models/{Uri.EscapeDataString(parsed.GetRequiredValue(hash))}/{verb}", null, cancellationToken);
            Tell(parsed.InvocationConfiguration.Output, answer.RootElement);
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("models", "Lists the models of the running system.") { Server, KeyFile };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, async http =>
        {
            using var answer = await AskAsync(http, HttpMethod.Get, "v1/models", null, cancellationToken);
            var output = parsed.InvocationConfiguration.Output;
            output.WriteLine($"decides: {answer.RootElement.GetProperty("champion").GetString() ?? answer.RootElement.GetProperty("missing_because").GetString()}");
            foreach (var model in answer.RootElement.GetProperty("models").EnumerateArray()) Tell(output, model);
        }));
        return command;
    }

    private static void Tell(TextWriter output, JsonElement model)
    {
        output.Write($"{model.GetProperty("hash").GetString()}  {model.GetProperty("state").GetString()}");
        if (model.GetProperty("proposed_by").GetString() is { } by) output.Write($"  promotion proposed by {by}: another person has to confirm it");
        if (model.GetProperty("fault").GetString() is { } fault) output.Write($"  DOES NOT SERVE: {fault}");
        output.WriteLine(model.GetProperty("note").GetString() is { Length: > 0 } note ? $"  ({note})" : "");
    }

    private static async Task<JsonDocument> AskAsync(HttpClient http, HttpMethod method, string path, string? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (response.IsSuccessStatusCode) return JsonDocument.Parse(text);
        throw new RegistryRefusedException($"{(int)response.StatusCode}: {Reason(text)}");
    }

    private static string Reason(string text)
    {
        try
        {
            using var problem = JsonDocument.Parse(text);
            return problem.RootElement.TryGetProperty("detail", out var detail) && detail.GetString() is { Length: > 0 } said ? said
                : problem.RootElement.TryGetProperty("title", out var title) ? title.GetString() ?? text : text;
        }
        catch (JsonException)
        {
            return text;    // not our server's answer: what it said is all there is
        }
    }

    private static async Task<int> RunAsync(ParseResult parsed, Func<HttpClient, Task> action)
    {
        var key = parsed.GetValue(KeyFile) is { } file ? (await File.ReadAllTextAsync(file.FullName)).Trim() : Environment.GetEnvironmentVariable(KeyVariable);
        if (!Uri.TryCreate(parsed.GetRequiredValue(Server), UriKind.Absolute, out var address))
        {
            parsed.InvocationConfiguration.Error.WriteLine($"--server: '{parsed.GetRequiredValue(Server)}' is no address such as http://127.0.0.1:8080.");
            return 1;
        }

        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = key is { Length: > 0 } ? new AuthenticationHeaderValue("Bearer", key) : null;
        try
        {
            await action(http);
            return 0;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or RegistryRefusedException or IOException)
        {
            parsed.InvocationConfiguration.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private sealed class RegistryRefusedException(string message) : Exception(message);
}
