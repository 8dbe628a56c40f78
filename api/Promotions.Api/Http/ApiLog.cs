using Microsoft.Extensions.Logging;

namespace Promotions.Api.Http;

/// <summary>Everything this project logs. Ids 4000 to 4099.</summary>
internal static partial class ApiLog
{
    [LoggerMessage(EventId = 4001, Level = LogLevel.Error, Message = "The ledger failed during {Operation} (request {RequestId})")]
    public static partial void LedgerFault(ILogger logger, Exception exception, string operation, string requestId);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Warning, Message = "Analytics did not answer {Operation} (request {RequestId})")]
    public static partial void ResultsAway(ILogger logger, Exception exception, string operation, string requestId);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Warning, Message = "No answer in time to {Operation} (request {RequestId})")]
    public static partial void TimedOut(ILogger logger, Exception exception, string operation, string requestId);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Error, Message = "{Operation} broke (request {RequestId})")]
    public static partial void Broken(ILogger logger, Exception exception, string operation, string requestId);

    [LoggerMessage(EventId = 4010, Level = LogLevel.Information, Message = "Operation {OperationId} goes on at {Done} of {Total}")]
    public static partial void OperationResumed(ILogger logger, string operationId, long done, long total);

    [LoggerMessage(EventId = 4011, Level = LogLevel.Warning, Message = "Operation {OperationId} waits: the ledger failed")]
    public static partial void OperationWaits(ILogger logger, Exception exception, string operationId);

    [LoggerMessage(EventId = 4012, Level = LogLevel.Error, Message = "Operation {OperationId} broke")]
    public static partial void OperationBroke(ILogger logger, Exception exception, string operationId);

    [LoggerMessage(EventId = 4013, Level = LogLevel.Warning, Message = "Model {Model} drifts: {What} is {Value}. The Models page shows it")]
    public static partial void DriftBegan(ILogger logger, string model, string what, double value);

    [LoggerMessage(EventId = 4014, Level = LogLevel.Information, Message = "Model {Model} drifts no more: {What} is {Value}")]
    public static partial void DriftEnded(ILogger logger, string model, string what, double value);

    [LoggerMessage(EventId = 4015, Level = LogLevel.Warning, Message = "Live traffic of the models could not be read; trying again")]
    public static partial void ModelsUnseen(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 4016, Level = LogLevel.Information, Message = "Retrained, {Outcome}: {Text}")]
    public static partial void Retrained(ILogger logger, string outcome, string text);

    [LoggerMessage(EventId = 4017, Level = LogLevel.Warning, Message = "A retraining failed: {Text}")]
    public static partial void RetrainingFailed(ILogger logger, string text);

    [LoggerMessage(EventId = 4018, Level = LogLevel.Warning, Message = "A retraining could not be begun or written down; the schedule tries again")]
    public static partial void RetrainingFault(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 4020, Level = LogLevel.Warning, Message = "Readiness check {Check} failed")]
    public static partial void ReadinessCheckFailed(ILogger logger, Exception exception, string check);
}
