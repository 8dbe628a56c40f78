using System.Text.Json;
using System.Text.Json.Serialization;

namespace Promotions.Contracts.Json;

/// <summary>How contracts are read and written: generated at build time, and strict.</summary>
/// <remarks>Unknown and repeated members, comments, trailing commas, numbers in quotes and more than 16 levels are refused:
/// a caller who misspells <c>redeemables</c> must learn it now, not at settlement.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    ReadCommentHandling = JsonCommentHandling.Disallow,
    AllowTrailingCommas = false,
    NumberHandling = JsonNumberHandling.Strict,
    PropertyNameCaseInsensitive = false,
    MaxDepth = Bounds.DepthMax)]
[JsonSerializable(typeof(RedemptionBody))]
[JsonSerializable(typeof(VoidBody))]
[JsonSerializable(typeof(OrderPlacedBody))]
[JsonSerializable(typeof(OrderReturnedBody))]
[JsonSerializable(typeof(EngagementBody))]
[JsonSerializable(typeof(LabelBody))]
[JsonSerializable(typeof(FlagAnswerBody))]
[JsonSerializable(typeof(ReturnEventBody))]
[JsonSerializable(typeof(CaptureEventBody))]
[JsonSerializable(typeof(VoidEventBody))]
[JsonSerializable(typeof(BalanceChange))]
[JsonSerializable(typeof(SystemAnswer))]
[JsonSerializable(typeof(CampaignBody))]
[JsonSerializable(typeof(CodesBody))]
[JsonSerializable(typeof(GrantBody))]
[JsonSerializable(typeof(DepositBody))]
[JsonSerializable(typeof(PointsBody))]
[JsonSerializable(typeof(CustomerCouponBody))]
[JsonSerializable(typeof(AssignBody))]
[JsonSerializable(typeof(ApiKeyBody))]
[JsonSerializable(typeof(FraudPolicyBody))]
[JsonSerializable(typeof(StandingBody))]
[JsonSerializable(typeof(FlagRulesBody))]
[JsonSerializable(typeof(StandingAnswer))]
[JsonSerializable(typeof(StandingsAnswer))]
[JsonSerializable(typeof(ModelBody))]
[JsonSerializable(typeof(ModelAnswer))]
[JsonSerializable(typeof(ModelsAnswer))]
[JsonSerializable(typeof(DriftAnswer))]
[JsonSerializable(typeof(ComparisonAnswer))]
[JsonSerializable(typeof(RetrainingPolicyBody))]
[JsonSerializable(typeof(RetrainingAnswer))]
[JsonSerializable(typeof(RedemptionAnswer))]
[JsonSerializable(typeof(VoidAnswer))]
[JsonSerializable(typeof(SmallestChangeAnswer))]
[JsonSerializable(typeof(QualificationAnswer))]
[JsonSerializable(typeof(RecordedAnswer))]
[JsonSerializable(typeof(FlagAnswer))]
[JsonSerializable(typeof(FlagsAnswer))]
[JsonSerializable(typeof(TimelineAnswer))]
[JsonSerializable(typeof(SimilarCasesAnswer))]
[JsonSerializable(typeof(NeighboursAnswer))]
[JsonSerializable(typeof(CampaignAnswer))]
[JsonSerializable(typeof(CampaignsAnswer))]
[JsonSerializable(typeof(CouponAnswer))]
[JsonSerializable(typeof(CodesAnswer))]
[JsonSerializable(typeof(CouponsAnswer))]
[JsonSerializable(typeof(OperationAnswer))]
[JsonSerializable(typeof(BalancesAnswer))]
[JsonSerializable(typeof(CustomerCouponsAnswer))]
[JsonSerializable(typeof(ApiKeyAnswer))]
[JsonSerializable(typeof(ApiKeysAnswer))]
[JsonSerializable(typeof(FraudPolicyAnswer))]
[JsonSerializable(typeof(LetThroughOutcomesAnswer))]
[JsonSerializable(typeof(WebhookBody))]
[JsonSerializable(typeof(WebhookAnswer))]
[JsonSerializable(typeof(WebhooksAnswer))]
[JsonSerializable(typeof(WebhookTestAnswer))]
[JsonSerializable(typeof(ProblemAnswer))]
public sealed partial class ContractsJson : JsonSerializerContext;
