using System.Text.RegularExpressions;
using Promotions.Server.Scaled;

namespace Promotions.Server.Tests;

public partial class ScaledOptionsTests
{
    private const string Bootstrap = "127.0.0.1:9092";
    private const string Postgres = "Host=127.0.0.1;Database=promotions";

    [Fact]
    public void Without_brokers_and_database_everything_is_embedded() => Assert.Null(ScaledOptions.From(null, null, null, null));

    [Theory]
    [InlineData(null, Bootstrap, null, null, "the ledger is PostgreSQL")]
    [InlineData(null, null, Postgres, null, "whose log is Kafka")]
    [InlineData("pipeline", null, null, null, "Roles are for the scaled set")]
    [InlineData(null, null, null, "http://127.0.0.1:8123", "is used by the scaled set")]
    [InlineData("cashier", Bootstrap, Postgres, null, "There is no role 'cashier'")]
    [InlineData(" , ", Bootstrap, Postgres, null, "No role is named")]
    [InlineData(null, Bootstrap, Postgres, "127.0.0.1:8123", "ClickHouse's address is")]
    [InlineData(null, Bootstrap, Postgres, "tcp://h:9000", "ClickHouse's address is")]
    public void Half_of_it_or_what_is_none_is_refused_with_a_sentence(string? roles, string? bootstrap, string? postgres, string? clickHouse, string because) =>
        Assert.Contains(because, Assert.Throws<StartRefusedException>(() => ScaledOptions.From(roles, bootstrap, postgres, clickHouse)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_refused_address_never_shows_its_password() =>
        Assert.DoesNotContain("secret", Assert.Throws<StartRefusedException>(() => ScaledOptions.From(null, Bootstrap, Postgres, "ftp://user:secret@host/db")).Message, StringComparison.Ordinal);

    [Fact]
    public void Roles_may_be_several_and_default_to_all()
    {
        Assert.Equal(ServerRoles.All, ScaledOptions.From(null, Bootstrap, Postgres, null)!.Roles);
        Assert.Equal(ServerRoles.Api | ServerRoles.Admin, ScaledOptions.From("api, admin", Bootstrap, Postgres, null)!.Roles);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8123", "127.0.0.1", 8123, "default", "", "promotions", "http")]
    [InlineData("https://an%40alyst:p%3Aw@click.example/shop", "click.example", 443, "an@alyst", "p:w", "shop", "https")]
    public void A_ClickHouse_address_names_everything(string text, string host, int port, string user, string password, string database, string protocol)
    {
        var address = ScaledOptions.From(null, Bootstrap, Postgres, text)!.ClickHouse!;
        Assert.Equal((host, port, user, password, database, protocol), (address.Host, address.Port, address.Username, address.Password, address.Database, address.Protocol));
    }

    [Theory]
    [InlineData("sasl.usernam", "shop", "sasl.usernam")]
    [InlineData("security.protocol", "sasl", "security.protocol")]
    [InlineData("acks", "1", "PROMOTIONS_KAFKA_ACKS")]
    public void A_setting_that_the_client_does_not_know_is_refused_by_name(string name, string value, string named)
    {
        var options = ScaledOptions.From(null, Bootstrap, Postgres, null)! with { Client = new Dictionary<string, string> { [name] = value } };
        Assert.Contains(named, Assert.Throws<StartRefusedException>(options.CheckClient).Message, StringComparison.Ordinal);
        (options with { Client = new Dictionary<string, string> { ["security.protocol"] = "sasl_ssl", ["sasl.mechanism"] = "PLAIN", ["sasl.username"] = "shop", ["sasl.password"] = "secret" } }).CheckClient();
    }

    [Fact]
    public void Every_setting_of_Kafka_that_is_documented_or_set_by_a_script_is_ours()
    {
        string[] places = ["deploy/kafka/README.md", "deploy/lib/scaled", "deploy/compose.yaml"];
        var named = places.SelectMany(place => KafkaSetting().Matches(File.ReadAllText(Path.Combine(Repository.Root, place)))).Select(match => match.Groups[1].Value)
            .Where(name => name.Length > 0 && !name.StartsWith("SASL", StringComparison.Ordinal) && !name.StartsWith("SSL", StringComparison.Ordinal) && !name.StartsWith("SECURITY", StringComparison.Ordinal)).ToHashSet();
        Assert.Contains("FETCH_WAIT_MS", named);
        Assert.Empty(named.Except(ScaledOptions.OwnNames));
    }

    [GeneratedRegex("PROMOTIONS_KAFKA_([A-Z_]*)")]
    private static partial Regex KafkaSetting();

    [Fact]
    public void A_heartbeat_longer_than_a_third_of_the_session_is_refused() =>
        Assert.Contains("at most a third", Assert.Throws<StartRefusedException>((ScaledOptions.From(null, Bootstrap, Postgres, null)! with { HeartbeatMs = 3_000 }).CheckClient).Message, StringComparison.Ordinal);
}
