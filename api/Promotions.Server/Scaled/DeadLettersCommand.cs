using System.Globalization;
using Promotions.Streams.Kafka;

namespace Promotions.Server.Scaled;

/// <summary>Which of the dead letters are meant; what is null says nothing.</summary>
/// <param name="Reason">Exactly, as the list prints it.</param>
/// <param name="Topic">Where they came from, by its name in the cluster.</param>
/// <param name="At">One alone: <c>partition:offset</c> in the dead letters' topic.</param>
internal sealed record DeadLetterFilter(string? Reason, string? Topic, string? At)
{
    public bool Takes(DeadLetterEntry letter) =>
        (Reason is null || letter.Reason == Reason) && (Topic is null || letter.Topic == Topic) && (At is null || Place(letter) == At);

    /// <summary>Where it lies among the dead letters, as <c>--at</c> takes it.</summary>
    public static string Place(DeadLetterEntry letter) => string.Create(CultureInfo.InvariantCulture, $"{letter.At.Partition.Value}:{letter.At.Offset.Value}");
}

/// <summary><c>promotions dead-letters</c>: what was given up, and sending it again once its cause is mended.</summary>
internal static class DeadLettersCommand
{
    /// <returns>0; 1 where letters were to be sent again and the filter took none.</returns>
    /// <exception cref="StartRefusedException">The brokers cannot be reached, or there is no such topic.</exception>
    public static async Task<int> RunAsync(ServerOptions server, ScaledOptions options, DeadLetterFilter filter, bool sendAgain, TextWriter output)
    {
        var driver = PipelineRole.DriverOptions(options, DataFolder.Open(server.DataPath));
        try
        {
            return sendAgain ? await SendAgainAsync(driver, filter, output) : await ListAsync(driver, filter, output);
        }
        catch (Exception fault) when (fault is Confluent.Kafka.KafkaException or InvalidDataException)
        {
            throw new StartRefusedException($"The dead letters at {options.Bootstrap} cannot be read or sent again: {fault.Message}", fault);
        }
    }

    private static async Task<int> ListAsync(KafkaDriverOptions driver, DeadLetterFilter filter, TextWriter output)
    {
        var letters = (await DeadLetters.ReadAsync(driver)).Where(filter.Takes).ToList();
        foreach (var letter in letters)
        {
            var from = letter.Offset < 0 ? $"to {letter.Topic}" : string.Create(CultureInfo.InvariantCulture, $"from {letter.Topic} {letter.Partition}:{letter.Offset}");
            output.WriteLine($"{DeadLetterFilter.Place(letter),-12} {letter.Time}  {letter.Reason,-24} {from}: {letter.Detail}{(letter.IsCut ? " (cut: it cannot be sent again)" : "")}");
        }

        output.WriteLine(letters.Count == 0 ? "No dead letters." : string.Create(
            CultureInfo.InvariantCulture, $"{letters.Count} of them. Mend the cause, then send them again with --send-again (and --at, --reason or --topic for some of them)."));
        return 0;
    }

    private static async Task<int> SendAgainAsync(KafkaDriverOptions driver, DeadLetterFilter filter, TextWriter output)
    {
        var sent = await DeadLetters.SendAgainAsync(driver, filter.Takes);
        output.WriteLine(sent == 0 ? "None was sent: the filter takes no dead letter." : string.Create(
            CultureInfo.InvariantCulture, $"{sent} sent again, to where they came from. They stay listed: what was taken now is told apart by its id, and what fails again comes again."));
        return sent == 0 ? 1 : 0;
    }
}
