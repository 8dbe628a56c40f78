using System.Net;
using System.Text.Json.Nodes;
using Promotions.Api.Webhooks;

namespace Promotions.Api.Tests;

public sealed class WebhookSignatureTests
{
    /// <summary>Of the public package standardwebhooks 1.1.0 (equal to svix 2.9.1): id, seconds, body in base64, secret, signature.</summary>
    [Theory]
    [InlineData("msg_jTvZeOp3f5upic8t", 2147483647, "", "whsec_5TZrB9nNsYCPDhgjLdWH9exeFBrroTWQ28snvQ3bA4Y=", "v1,NuoztK8WW94s7aW0hyIg1bFRTG9AV8gJ2dGC+kbmH5c=")]
    [InlineData("msg_PD29wDSUx64mksG7QNeZpXCHEWK", 1, "e30=", "whsec_r3JCCBB6lVKiCRxEiObhMq5kJolbECYOU8tDJudOLB0Sq8Tl4Hi3T/myushkNnK18BQNxc6Rx5lQLcWtE8GcSQ==", "v1,SEh2MssfEN5ejeg8VNmB1QIhLSLLcPstqRi6Fef6c+c=")]
    [InlineData("msg_5HA2tnkjFtsIdT5w", 1, "W10=", "whsec_fD3l7dlQXupOIicsyfDz1MeEZ7HX78co/VXYPHzs77k=", "v1,4Na7ZfcxSCkwLnXQ95MTafDGkemS09kd4QsfdtCMWiU=")]
    public void Signatures_are_those_of_the_standards_own_package(string id, long seconds, string body, string secret, string signature)
    {
        Assert.Equal(signature, WebhookSignature.Sign(secret, id, seconds, Convert.FromBase64String(body)));
        Assert.Equal(signature, WebhookSignature.Sign(secret.TrimEnd('='), id, seconds, Convert.FromBase64String(body)));
    }

    /// <summary>All of them, where the shared vectors are at hand.</summary>
    [Fact]
    public void Every_shared_vector_is_signed_the_same()
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Promotions.sln"))) folder = Path.GetDirectoryName(folder);
        var file = Path.Combine(folder!, "..", "shared", "data", "vectors", "webhooks", "v1_sign.json");
        if (!File.Exists(file)) return;         // the three above are of that file
        var cases = JsonNode.Parse(File.ReadAllText(file))!["cases"]!.AsArray();
        Assert.NotEmpty(cases);
        foreach (var one in cases)
            Assert.Equal(one!["signature"]!.GetValue<string>(), WebhookSignature.Sign(one["secret"]!.GetValue<string>(), one["id"]!.GetValue<string>(), one["timestamp"]!.GetValue<long>(), Convert.FromBase64String(one["payload_base64"]!.GetValue<string>())));
    }

    [Theory]
    [InlineData("93.184.216.34", true)]
    [InlineData("2606:2800:220:1:248:1893:25c8:1946", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:93.184.216.34", true)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("64:ff9b::5db8:d822", true)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("2001:db8::1", false)]
    public void Only_public_addresses_are_knocked_at(string address, bool isPublic) => Assert.Equal(isPublic, PublicAddress.Is(IPAddress.Parse(address)));
}
