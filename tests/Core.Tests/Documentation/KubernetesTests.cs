using Archiver.Testing;
using k8s;
using k8s.Models;

namespace Archiver.Core.Tests.Documentation;

/// <summary>
/// The manifests in deploy/kubernetes: every field is one that Kubernetes knows, and those that keep a worker safe are there.
/// </summary>
public sealed class KubernetesTests
{
    private static readonly string Folder = Path.GetDirectoryName(
        Path.GetDirectoryName(Repository.File("deploy/kubernetes/base/kustomization.yaml"))
    )!;

    /// <summary>Refuses a field that the kind does not have, such as one that is misspelt or on the wrong level.</summary>
    private static T Read<T>(string file) => KubernetesYaml.Deserialize<T>(File.ReadAllText(Path.Combine(Folder, file)), strict: true);

    [Fact]
    public void A_misspelt_field_is_noticed() =>
        Assert.ThrowsAny<Exception>(() =>
            KubernetesYaml.Deserialize<V1Service>(
                "{ apiVersion: v1, kind: Service, spec: { publishNotReadyAdresses: true } }",
                strict: true
            )
        );

    [Fact]
    public void The_page_is_reached_while_the_worker_is_not_ready()
    {
        var service = Read<V1Service>("base/service.yaml");

        Assert.True(service.Spec.PublishNotReadyAddresses);
        Assert.Equal(Read<V1Deployment>("base/deployment.yaml").Spec.Template.Metadata.Labels, service.Spec.Selector);
    }

    [Fact]
    public void A_worker_is_restarted_when_it_is_dead_and_not_when_its_database_is_away()
    {
        var worker = Assert.Single(Read<V1Deployment>("base/deployment.yaml").Spec.Template.Spec.Containers);

        Assert.Equal("/health/live", worker.LivenessProbe.HttpGet.Path);
        Assert.Equal("/health/live", worker.StartupProbe.HttpGet.Path);
        Assert.Equal("/health/ready", worker.ReadinessProbe.HttpGet.Path);
    }

    [Fact]
    public void A_single_worker_does_not_hold_up_a_drain()
    {
        var budget = Read<V1PodDisruptionBudget>("base/poddisruptionbudget.yaml");

        Assert.Equal("1", budget.Spec.MaxUnavailable.Value);
        Assert.Null(budget.Spec.MinAvailable);
    }

    [Fact]
    public void Of_runs_that_Kubernetes_starts_one_goes_at_a_time_and_none_is_repeated()
    {
        var job = Read<V1CronJob>("cron/cronjob.yaml").Spec;

        Assert.Equal(("Forbid", 0), (job.ConcurrencyPolicy, job.JobTemplate.Spec.BackoffLimit));
        Assert.Contains(job.JobTemplate.Spec.Template.Spec.Containers[0].Env, v => v is { Name: "ARCHIVER_TRIGGER", Value: "archive" });
    }

    [Theory]
    [InlineData("base/deployment.yaml")]
    [InlineData("cron/cronjob.yaml")]
    public void It_runs_without_root_without_capabilities_and_has_time_to_stop(string file)
    {
        var pod = file.StartsWith("base", StringComparison.Ordinal)
            ? Read<V1Deployment>(file).Spec.Template.Spec
            : Read<V1CronJob>(file).Spec.JobTemplate.Spec.Template.Spec;
        var container = Assert.Single(pod.Containers);

        Assert.Equal((true, 1654L), (pod.SecurityContext.RunAsNonRoot, pod.SecurityContext.RunAsUser));
        Assert.Equal((true, false), (container.SecurityContext.ReadOnlyRootFilesystem, container.SecurityContext.AllowPrivilegeEscalation));
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.True(pod.TerminationGracePeriodSeconds > 30, "The worker takes up to 30 s to finish or roll back the batch in hand.");
    }

    [Fact]
    public void Only_who_is_named_reaches_it_and_it_reaches_only_what_is_named()
    {
        var policy = Read<V1NetworkPolicy>("network/networkpolicy.yaml").Spec;

        Assert.Equal(["Ingress", "Egress"], policy.PolicyTypes);
        Assert.All(policy.Ingress, rule => Assert.NotEmpty(rule.FromProperty));
        Assert.All(policy.Egress, rule => Assert.NotEmpty(rule.To));
    }

    [Fact]
    public void Where_a_role_takes_the_place_of_keys_no_worker_reads_them_and_the_token_service_is_reached()
    {
        var aws = File.ReadAllText(Path.Combine(Folder, "aws", "kustomization.yaml"));
        var workers = new[]
        {
            Read<V1Deployment>("base/deployment.yaml").Spec.Template.Spec,
            Read<V1CronJob>("cron/cronjob.yaml").Spec.JobTemplate.Spec.Template.Spec,
        };

        var keys = workers
            .SelectMany(w => w.Containers[0].Env)
            .Where(v => v.Name.Contains("__Storage__", StringComparison.Ordinal))
            .GroupBy(v => v.Name)
            .ToList();
        Assert.Equal(2, keys.Count);
        Assert.All(keys, key => Assert.Equal(key.Count(), aws.Split($"{{ name: {key.Key}, $patch: delete }}").Length - 1));
        Assert.Contains("port: 443", aws, StringComparison.Ordinal);
        Assert.Equal(Read<V1ServiceAccount>("aws/serviceaccount.yaml").Metadata.Name, aws.Split("serviceAccountName: ")[1].Split('\n')[0]);
    }

    [Fact]
    public void Every_file_belongs_to_an_installation()
    {
        var named = Directory.GetFiles(Folder, "kustomization.yaml", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        var files = Directory
            .GetFiles(Folder, "*.yaml", SearchOption.AllDirectories)
            .Select(f => Path.GetFileName(f)!)
            .Where(f => f != "kustomization.yaml")
            .ToList();

        Assert.True(files.Count >= 6, "The manifests are not found: the test could not fail.");
        Assert.All(files, file => Assert.Contains(named, text => text.Contains(file, StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_secret_that_a_worker_reads_is_one_that_the_example_makes()
    {
        var example = File.ReadAllText(Path.Combine(Folder, "example", "kustomization.yaml"));
        var variables = Read<V1Deployment>("base/deployment.yaml")
            .Spec.Template.Spec.Containers[0]
            .Env.Concat(Read<V1CronJob>("cron/cronjob.yaml").Spec.JobTemplate.Spec.Template.Spec.Containers[0].Env);

        Assert.All(variables.Where(v => v.Name.EndsWith("__File", StringComparison.Ordinal)), v =>
            Assert.Contains($"- {Path.GetFileName(v.Value)}=", example, StringComparison.Ordinal)
        );
    }
}
