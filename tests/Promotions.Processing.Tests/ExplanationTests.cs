using Promotions.Domain.Decisions;
using Promotions.Domain.Events;
using Promotions.Features;
using Promotions.Processing.Decisions;
using Promotions.Processing.State;
using Promotions.Scoring;

namespace Promotions.Processing.Tests;

/// <summary>Reasons that are asked for later are those that the pipeline would have recorded, to the byte.</summary>
public class ExplanationTests
{
    private static readonly FraudPolicy ApprovesAll = PipelineRig.Policy with { ReviewFloor = 1 };

    /// <summary>A wronged customer costs a fortune and a review nothing, so every attempt is reviewed and its reasons are recorded.</summary>
    private static readonly FraudPolicy ReviewsAll = PipelineRig.Policy with { ReviewFloor = 0, Costs = new(1_000_000_000, 0, 5, 500, 1) };

    [Fact]
    public async Task An_approved_decision_is_explained_from_its_record_with_the_bytes_that_a_flag_would_have_had()
    {
        var model = DefaultModel();
        await using var approving = await ShopAsync(model, ApprovesAll);
        await using var reviewing = await ShopAsync(model, ReviewsAll);
        var explainer = new DecisionExplainer(new FeatureCatalog(), hash => hash == model.ModelHash ? model : null);

        for (var i = 0; i < 60; i++)
        {
            var request = PipelineRig.Request($"r-{i}", $"c-{i % 4}", i % 5 == 0 ? "no-such-code" : "ten", i * 37, i % 3 == 0 ? null : $"d-{i % 2}", price: 700 + 113 * i);
            await approving.RedeemAsync(request);
            await reviewing.RedeemAsync(request);
            var approved = approving.Reader.FindDecision(request.Id)!;
            var flagged = reviewing.Reader.FindDecision(request.Id)!;
            Assert.Empty(approved.Proposal.Risk.Reasons);
            Assert.NotEmpty(flagged.Proposal.Risk.Reasons);

            var explanation = explainer.Explain(approved);

            Assert.Null(explanation.MissingBecause);
            Assert.False(explanation.IsRecorded);
            Assert.Equal(BytesOf(flagged.Proposal.Risk.Reasons), BytesOf(explanation.Reasons));
            Assert.True(explainer.Explain(flagged).IsRecorded);
        }
    }

    [Fact]
    public async Task A_model_that_is_not_loaded_and_one_that_never_scored_are_said_in_words()
    {
        await using var rig = await ShopAsync(new PipelineRig.FixedScorer(-5), ApprovesAll);
        await rig.RedeemAsync(PipelineRig.Request("r-1"));
        await using var unscored = await ShopAsync(null, ApprovesAll);
        await unscored.RedeemAsync(PipelineRig.Request("r-1"));
        var explainer = new DecisionExplainer(new FeatureCatalog(), _ => null);

        Assert.Equal(
            "The model that scored this decision (fixed) is not loaded here, so the contributions of its features cannot be computed.",
            explainer.Explain(rig.Reader.FindDecision("r-1")!).MissingBecause);
        Assert.Equal("No model scored this decision: none in this test.", explainer.Explain(unscored.Reader.FindDecision("r-1")!).MissingBecause);
    }

    [Fact]
    public async Task A_vector_of_another_layout_is_not_explained_as_if_it_were_of_this_one()
    {
        await using var rig = await ShopAsync(new PipelineRig.FixedScorer(-5), ApprovesAll);
        var decision = await rig.RedeemAsync(PipelineRig.Request("r-1"));
        var older = decision with { Proposal = decision.Proposal with { Risk = decision.Proposal.Risk with { LayoutHash = 1 } } };

        var explanation = new DecisionExplainer(new FeatureCatalog(), _ => new PipelineRig.FixedScorer(-5)).Explain(older);

        Assert.Empty(explanation.Reasons);
        Assert.Contains("feature layout 0000000000000001", explanation.MissingBecause, StringComparison.Ordinal);
    }

    private static async Task<PipelineRig> ShopAsync(IScorer? scorer, FraudPolicy policy)
    {
        var rig = PipelineRig.Open(scorer: scorer, policy: policy);
        await rig.PutAsync(PipelineRig.Public("TEN"));
        return rig;
    }

    private static byte[] BytesOf(IReadOnlyList<RiskReason> reasons)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream))
        {
            foreach (var reason in reasons)
            {
                writer.Write(reason.Feature);
                writer.Write(reason.Sentence);
                writer.Write(reason.Value);
                writer.Write(reason.Contribution);
                writer.Write(reason.Entity ?? "-");
            }
        }

        return stream.ToArray();
    }

    internal static TreeScorer DefaultModel()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Promotions.sln"))) return TreeScorer.Load(File.ReadAllBytes(Path.Combine(at.FullName, "ml", "models", "default.json")), FeatureRegistry.LayoutHash);
        throw new FileNotFoundException("Promotions.sln is in no folder above the tests.");
    }
}
