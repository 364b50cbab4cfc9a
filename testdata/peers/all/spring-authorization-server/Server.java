package test.acme;

import java.util.Map;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetails;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;

/** Spring Authorization Server as Spring Boot sets it up by itself; the clients stand in application.yaml. */
@SpringBootApplication
public class Server {
  public static void main(String[] arguments) {
    SpringApplication.run(Server.class, arguments);
  }

  @Bean
  UserDetailsService users(Environment environment) {
    Map<String, String> variables =
        Map.of("alice", "SAS_ALICE_PASSWORD", "bob", "SAS_BOB_PASSWORD", "zoe", "SAS_ZOE_ODD_PASSWORD");
    Stream<UserDetails> users =
        variables.entrySet().stream()
            .map(one -> User.withUsername(one.getKey()).password("{noop}" + environment.getRequiredProperty(one.getValue())).roles("USER").build());
    return new InMemoryUserDetailsManager(users.toList());
  }
}
