using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;

namespace PaDiM.Service.MqttCommands;

/// <summary>MQTT commands: a message asks for the score of an image, and another one answers.</summary>
internal static class MqttCommandsFeature
{
    public static IServiceCollection AddMqttCommands(this IServiceCollection services)
    {
        services.AddPadimOptions<MqttCommandOptions>();
        services.AddSingleton<NamedImages>().AddSingleton<MqttCommandScorer>().AddSingleton<MqttCommandMetrics>();
        services.AddSingleton<MqttCommandListener>();
        services.AddHostedService(provider => provider.GetRequiredService<MqttCommandListener>());
        services.AddHealthChecks().AddCheck<MqttCommandCheck>("mqttCommands", tags: [HealthTags.Ready]);
        return services;
    }
}
