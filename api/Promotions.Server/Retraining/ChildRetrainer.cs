using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Promotions.Api.Retraining;
using Promotions.Scoring;

namespace Promotions.Server.Retraining;

/// <summary><c>promotions-ml retrain</c> over this system's data folder, as a child with less claim to the processor than decisions have.</summary>
/// <remarks>It reads the ledger's file beside the server that writes it, and writes two files of its own. A child that outlives a server that was killed harms nothing: nobody reads what it writes.</remarks>
/// <param name="program">The promotions-ml to run.</param>
/// <param name="champion">The model file that decides where the registry has no champion.</param>
internal sealed class ChildRetrainer(DataFolder folder, string program, string champion) : IRetrainer
{
    private const string ProgramVariable = "PROMOTIONS_ML";
    private const int TooFewLabels = 3;        // promotions-ml's exit code; its report says the rest
    private const int LastLinesMax = 5;
    private static readonly TimeSpan LongestRun = TimeSpan.FromHours(6);
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public string? MissingBecause { get; } = File.Exists(program) ? null
        : $"promotions-ml is not at {program}: build ml/Promotions.Training, or say in {ProgramVariable} where it is, and start again.";

    /// <summary>The program that PROMOTIONS_ML names, else the one beside the server's.</summary>
    public static ChildRetrainer Of(DataFolder folder, string champion) =>
        new(folder, Environment.GetEnvironmentVariable(ProgramVariable) is { Length: > 0 } named ? named : Path.Combine(AppContext.BaseDirectory, "promotions-ml.dll"), champion);

    public async Task<(RetrainingReport Report, byte[]? Model)> RunAsync(RetrainingPolicy policy, Action<string> doing, CancellationToken cancellationToken)
    {
        var place = Directory.CreateDirectory(Path.Combine(folder.Root, "retraining")).FullName;
        var (model, report) = (Path.Combine(place, "candidate.json"), Path.Combine(place, "candidate.report.json"));
        foreach (var left in (string[])[model, report]) File.Delete(left);
        var lines = new Queue<string>();
        var code = await RunAsync(Arguments(policy, model, report), line =>
        {
            lock (lines)
            {
                lines.Enqueue(line);
                if (lines.Count > LastLinesMax) lines.Dequeue();
            }

            doing(line);
        }, cancellationToken);
        if (code is not (0 or TooFewLabels) || !File.Exists(report))
            throw new RetrainingFaultException(string.Create(CultureInfo.InvariantCulture, $"promotions-ml ended with code {code}. {string.Join(' ', lines)}"));
        try
        {
            var found = JsonSerializer.Deserialize<RetrainingReport>(await File.ReadAllBytesAsync(report, cancellationToken), Json) ?? throw new JsonException("It is empty.");
            return (found, found.Candidate is null ? null : await File.ReadAllBytesAsync(model, cancellationToken));
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new RetrainingFaultException($"What promotions-ml wrote cannot be read: {e.Message}", e);
        }
        finally
        {
            File.Delete(model);        // the registry has it
        }
    }

    private string[] Arguments(RetrainingPolicy policy, string model, string report) =>
    [
        program, "retrain", "--data", folder.Root, "--out", model, "--report", report, "--days", Text(policy.PeriodDays), "--label-days", Text(policy.LabelDays), "--labels-min", Text(policy.LabelsMin),
        .. File.Exists(champion) ? (string[])["--champion", champion] : [],
    ];

    private static async Task<int> RunAsync(string[] arguments, Action<string> heard, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LongestRun);
        using var child = new Process { StartInfo = new("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true } };
        child.OutputDataReceived += static (_, _) => { };          // the report is in its file
        child.ErrorDataReceived += (_, line) =>
        {
            if (!string.IsNullOrWhiteSpace(line.Data)) heard(line.Data);
        };
        try
        {
            child.Start();
        }
        catch (Win32Exception e)
        {
            throw new RetrainingFaultException($"promotions-ml could not be started: {e.Message}", e);
        }

        try
        {
            child.StandardInput.Close();
            child.BeginOutputReadLine();
            child.BeginErrorReadLine();
            Yield(child);
            await child.WaitForExitAsync(limit.Token);
            return child.ExitCode;
        }
        catch (OperationCanceledException)
        {
            child.Kill(entireProcessTree: true);
            await child.WaitForExitAsync(CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
            throw new RetrainingFaultException(string.Create(CultureInfo.InvariantCulture, $"promotions-ml was ended after {LongestRun.TotalHours} hours."));
        }
    }

    /// <summary>Decisions come first.</summary>
    private static void Yield(Process child)
    {
        try
        {
            child.PriorityClass = ProcessPriorityClass.BelowNormal;
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended already, or the machine does not let its priority be changed: it runs as it is.
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
