using Microsoft.Extensions.Logging;
using Promotions.Analytics.Results;
using Promotions.Api.Accounts;
using Promotions.Api.Bulk;
using Promotions.Api.Keys;
using Promotions.Api.Limits;
using Promotions.Api.Models;
using Promotions.Api.Observing;
using Promotions.Api.Policies;
using Promotions.Api.Retraining;
using Promotions.Api.Webhooks;
using Promotions.Contracts;
using Promotions.Contracts.Intake;
using Promotions.Ledger;
using Promotions.Processing;
using Promotions.Processing.Changes;
using Promotions.Processing.Costs;
using Promotions.Processing.Decisions;
using Promotions.Processing.Reviews;

namespace Promotions.Api.Http;

/// <summary>What handlers use, resolved once.</summary>
/// <param name="Results">Null where the installation has no analytics store.</param>
/// <param name="System">Null where this process does not know of the others.</param>
public sealed record ApiServices(
    ApiOptions Options,
    TimeProvider Time,
    IRedemptionGateway Gateway,
    DecisionExplainer Explainer,
    SmallestChangeFinder Changes,
    OpenCases Cases,
    ReviewDesk Reviews,
    SimilarCases Similar,
    EntityGraph Graph,
    FraudPolicies Policies,
    AccountBook Accounts,
    FlagRulesStore FlagRules,
    ModelRegistry ModelRegistry,
    ServedModels Models,
    ModelDesk ModelDesk,
    Retrainings Retrainings,
    RetrainingDesk Retraining,
    IFeatureCatalog Features,
    ILedger Ledger,
    IOrderReader Orders,
    ApiKeys Keys,
    AnonymousBuckets Anonymous,
    BulkOperations Operations,
    InstallationSecret Secret,
    IdMaker Ids,
    ICampaignResults? Results,
    IWouldBeBlocks? WouldBeBlocks,
    WebhookBook Webhooks,
    WebhookSender WebhookSender,
    ISystemStatus? System,
    ApiMetrics Metrics,
    IReadOnlyList<IReadinessCheck> Readiness,
    IpDirectory? Places,
    ILogger<ApiServices> Logger)
{
    public ILedgerReader Reader => Ledger.Reader;
}
