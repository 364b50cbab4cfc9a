// Build steps for a TeamCity project: the service messages show each requirement as a test while the log is read,
// the statistics draw charts, and the page becomes a tab of the build.
import jetbrains.buildServer.configs.kotlin.*
import jetbrains.buildServer.configs.kotlin.buildSteps.script

version = "2024.12"

project {
    buildType {
        id("Conformance")
        name = "OAuth conformance"
        artifactRules = "flowproof-out => flowproof-out"
        steps {
            script {
                name = "flowproof check"
                scriptContent = "flowproof check --target acme.yaml --progress teamcity --out flowproof-out"
            }
        }
    }
    buildType {
        id("Load")
        name = "OAuth load"
        artifactRules = "flowproof-out => flowproof-out"
        steps {
            script {
                name = "flowproof load"
                scriptContent = """
                    code=0
                    flowproof load --target acme.yaml --i-may-load acme.example.test --rate 50/s --duration 5m --threshold 'p99<250ms' --out flowproof-out || code=${'$'}?
                    [ ! -f flowproof-out/load.json ] || flowproof report flowproof-out/load.json --format teamcity
                    exit ${'$'}code
                """.trimIndent()
            }
        }
    }
}
