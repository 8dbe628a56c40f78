using Promotions.Ledger;

namespace Promotions.Server;

/// <summary>The server's log lines. Event ids 9001 and up.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(EventId = 9001, Level = LogLevel.Warning, Message = "No fraud model: {Reason}. Each channel's fallback decides, and decisions say so")]
    public static partial void ModelMissing(ILogger logger, string reason);

    [LoggerMessage(EventId = 9021, Level = LogLevel.Error, Message = "Model {Hash} of the registry does not serve: {Fault} The champion before goes on")]
    public static partial void ModelFault(ILogger logger, string hash, string fault);

    [LoggerMessage(EventId = 9022, Level = LogLevel.Warning, Message = "The model registry could not be read again; the models read before go on")]
    public static partial void RegistryFault(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 9023, Level = LogLevel.Warning, Message = "The accounts' standings could not be read again; those read before decide")]
    public static partial void AccountsFault(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 9024, Level = LogLevel.Warning, Message = "Flags above the freezing level could not be looked at; the next look finds them again")]
    public static partial void FreezeFault(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 9026, Level = LogLevel.Warning, Message = "Webhooks could not be sent; the next round goes on where they stand")]
    public static partial void WebhookFault(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 9002, Level = LogLevel.Error, Message = "{What} failed")]
    public static partial void PipelineFault(ILogger logger, Exception fault, string what);

    [LoggerMessage(EventId = 9010, Level = LogLevel.Warning, Message = "A record of {Topic} with id {Id} was given up and kept as a dead letter: {Reason}")]
    public static partial void DeadLettered(ILogger logger, string topic, string id, string reason);

    [LoggerMessage(EventId = 9003, Level = LogLevel.Warning, Message = "Expired holds and lots could not be released; the next round tries again")]
    public static partial void ExpiryFault(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 9004, Level = LogLevel.Warning, Message = "The demonstration's live traffic stopped; decisions are not affected")]
    public static partial void DemoFault(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 9005, Level = LogLevel.Warning, Message = "Analytics start is delayed; decisions are not affected")]
    public static partial void AnalyticsFault(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 9006, Level = LogLevel.Information, Message = "Feature state stands at log position {Position}")]
    public static partial void Replayed(ILogger logger, long position);

    [LoggerMessage(EventId = 9011, Level = LogLevel.Warning, Message = "The fraud policy could not be read again; the one read before decides")]
    public static partial void PolicyFault(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 9012, Level = LogLevel.Warning, Message = "The live page misses decisions at the moment: {Reason}")]
    public static partial void LiveFault(ILogger logger, string reason);

    [LoggerMessage(EventId = 9013, Level = LogLevel.Information, Message = "This process does the work of the sinks from now on")]
    public static partial void SinksTaken(ILogger logger);

    [LoggerMessage(EventId = 9014, Level = LogLevel.Warning, Message = "The sinks' lease could not be taken or kept; trying again")]
    public static partial void SinksFault(ILogger logger, Exception fault);

    [LoggerMessage(EventId = 9015, Level = LogLevel.Warning, Message = "Task {Task} went back to its last commit: {Reason}")]
    public static partial void TaskTookBack(ILogger logger, string task, string reason);

    [LoggerMessage(EventId = 9016, Level = LogLevel.Warning, Message = "Task {Task} could not reach the ledger; the same records are tried again")]
    public static partial void EffectsRetried(ILogger logger, Exception fault, string task);

    [LoggerMessage(EventId = 9017, Level = LogLevel.Warning, Message = "Task {Task} belongs to another process now; it is given up here")]
    public static partial void TaskFenced(ILogger logger, string task);

    [LoggerMessage(EventId = 9018, Level = LogLevel.Warning, Message = "Kafka's client: {Message} ({HeldBack} warnings before it were held back)")]
    public static partial void KafkaClientSaid(ILogger logger, string message, long heldBack);

    [LoggerMessage(EventId = 9019, Level = LogLevel.Information, Message = "The ledger refused a record of {Topic}: {Refusal}")]
    public static partial void LedgerRefused(ILogger logger, string topic, LedgerRefusal refusal);
}
