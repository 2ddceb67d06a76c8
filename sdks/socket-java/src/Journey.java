import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import org.json.JSONException;
import org.json.JSONObject;

/** The journey of the sockets in docs/sdks.md with io.socket:socket.io-client, and java.net.http as it comes. */
final class Journey {
    private static final String SERVER = System.getenv("WINDI_URL");
    private static final String PASSWORD = "correct horse";
    private static final long TIMEOUT_S = 30;
    private static final List<String> EVENTS = List.of(
            Socket.EVENT_CONNECT,
            Socket.EVENT_CONNECT_ERROR,
            "message:created",
            "read_receipt",
            "auth:expired",
            "server:draining");

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    /** Without these pings the client doesn't notice for 45 seconds that the server has closed a WebSocket. */
    private static final OkHttpClient TRANSPORT =
            new OkHttpClient.Builder().pingInterval(2, TimeUnit.SECONDS).build();

    private Journey() {}

    private record Event(String name, JSONObject payload) {}

    /** Calls a REST operation and returns its answer. */
    private static JSONObject post(String path, Map<String, ?> body, String token) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(SERVER + path))
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + token)
                .POST(BodyPublishers.ofString(new JSONObject(body).toString()))
                .build();
        HttpResponse<String> answer = HTTP.send(request, BodyHandlers.ofString());
        check(answer.statusCode() < 300, answer.body());
        return new JSONObject(answer.body());
    }

    private static long register(String name, String email) throws Exception {
        return post("/auth/register", Map.of("name", name, "email", email, "password", PASSWORD), "").getLong("id");
    }

    /** A device with a session of its own, and all events that it has heard. */
    private static final class Device {
        /** The client sends what is in here at every connection. */
        private final Map<String, String> auth = new ConcurrentHashMap<>();

        private final List<Event> heard = new ArrayList<>();
        private final Socket socket;
        private String refreshToken;

        Device() {
            IO.Options options = IO.Options.builder().setForceNew(true).setAuth(auth).build();
            options.webSocketFactory = TRANSPORT;
            socket = IO.socket(URI.create(SERVER), options);
            for (String event : EVENTS) {
                socket.on(event, args -> hear(event, args));
            }
            socket.on(Socket.EVENT_CONNECT_ERROR, this::returnAfterExpiry);
        }

        /** Connects with the token of a new session. */
        void logIn(String email) throws Exception {
            keep(post("/auth/login", Map.of("username", email, "password", PASSWORD), ""));
            socket.connect();
            until(Socket.EVENT_CONNECT, 1);
        }

        /** Gets the next access token, also for the connections to come. */
        void renew() throws Exception {
            String renewal = UUID.randomUUID().toString();
            keep(post("/auth/refresh", Map.of("refresh_token", refreshToken, "client_refresh_id", renewal), ""));
        }

        private void keep(JSONObject tokens) throws JSONException {
            refreshToken = tokens.getString("refresh_token");
            auth.put("token", tokens.getString("access_token"));
        }

        /** The token has expired while the server was away. The client doesn't come back after a refusal by itself. */
        private void returnAfterExpiry(Object... args) {
            if (!"token_expired".equals(codeOf(args))) {
                return;
            }
            try {
                renew();
                socket.connect();
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }

        private synchronized void hear(String event, Object... args) {
            heard.add(new Event(event, args.length > 0 && args[0] instanceof JSONObject json ? json : null));
            notifyAll();
        }

        private List<JSONObject> all(String event) {
            return heard.stream().filter(item -> item.name().equals(event)).map(Event::payload).toList();
        }

        /** All payloads of an event, as soon as there are so many. */
        synchronized List<JSONObject> until(String event, int count) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_S);
            while (all(event).size() < count) {
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                check(left > 0, "no " + event);
                wait(left);
            }
            return all(event);
        }

        /** Sends a command and returns its ack. */
        JSONObject command(String name, Map<String, ?> payload) throws Exception {
            CompletableFuture<JSONObject> answer = new CompletableFuture<>();
            socket.emit(name, new JSONObject(payload), (Ack) args -> answer.complete((JSONObject) args[0]));
            return answer.get(TIMEOUT_S, TimeUnit.SECONDS);
        }
    }

    /** The code of a refused connect; null when there was no answer, and the argument is an exception. */
    private static String codeOf(Object... args) {
        return args[0] instanceof JSONObject refusal ? refusal.optJSONObject("data").optString("code") : null;
    }

    /** The data of a positive ack. */
    private static JSONObject dataOf(JSONObject ack) throws JSONException {
        check(ack.getBoolean("ok"), ack);
        return ack.getJSONObject("data");
    }

    private static void checkRefused(String code, JSONObject ack) throws JSONException {
        check(!ack.getBoolean("ok") && ack.getJSONObject("error").getString("code").equals(code), ack);
    }

    private static Map<String, ?> message(long chat, String text, String key) {
        return Map.of("chat_id", chat, "text", text, "client_message_id", key);
    }

    private static String newKey() {
        return UUID.randomUUID().toString();
    }

    private static void check(boolean holds, Object found) {
        if (!holds) {
            throw new IllegalStateException(String.valueOf(found));
        }
    }

    private static void done(String step) {
        System.out.println("ok " + step);
    }

    private static void travel() throws Exception {
        String email = "ada-" + newKey() + "@example.org";
        String friendEmail = "grace-" + newKey() + "@example.org";
        long grace = register("Grace Hopper", friendEmail);
        register("Ada Lovelace", email);
        Device phone = new Device();
        Device laptop = new Device();
        Device friend = new Device();
        phone.logIn(email);
        laptop.logIn(email);
        friend.logIn(friendEmail);
        done("connect");

        Device stranger = new Device();
        stranger.auth.put("token", "bad");
        stranger.socket.connect();
        JSONObject refusal = stranger.until(Socket.EVENT_CONNECT_ERROR, 1).get(0);
        check("unauthorized".equals(codeOf(refusal)), refusal);
        done("refused connect");

        long chat = post("/chats", Map.of("type", "private", "user_id", grace), phone.auth.get("token")).getLong("id");
        String key = newKey();
        JSONObject sent = phone.command("message:send", message(chat, "Привет!", key));
        JSONObject first = dataOf(sent);
        check(first.getLong("seq") == 1 && first.getString("text").equals("Привет!"), sent);
        check(!sent.getBoolean("replayed"), sent);
        done("send");

        JSONObject again = laptop.command("message:send", message(chat, "Привет!", key));
        check(dataOf(again).getLong("id") == first.getLong("id") && again.getBoolean("replayed"), again);
        done("replay");

        checkRefused("client_message_id_conflict", phone.command("message:send", message(chat, "Other", key)));
        done("conflict");

        // Events of a chat come in order: when the second message is there, nothing of the first is under way.
        JSONObject second = dataOf(phone.command("message:send", message(chat, "Второе", newKey())));
        for (Device device : List.of(phone, laptop, friend)) {
            List<JSONObject> created = device.until("message:created", 2);
            check(created.size() == 2, created);
            check(created.get(0).getLong("id") == first.getLong("id"), created);
            check(created.get(1).getLong("id") == second.getLong("id"), created);
        }
        done("exactly once");

        dataOf(friend.command("message:read", Map.of("message_id", second.getLong("id"))));
        for (Device device : List.of(phone, laptop)) {
            JSONObject receipt = device.until("read_receipt", 1).get(0);
            check(receipt.getLong("message_id") == second.getLong("id"), receipt);
            check(receipt.getLong("reader_id") == grace && receipt.getBoolean("is_read"), receipt);
        }
        done("receipt");

        laptop.socket.disconnect();
        friend.socket.disconnect();
        phone.until("auth:expired", 1);
        checkRefused("token_expired", phone.command("message:read", Map.of("message_id", first.getLong("id"))));
        done("expiry");

        phone.renew();
        JSONObject refreshed = dataOf(phone.command("auth:refresh", Map.of("token", phone.auth.get("token"))));
        check(refreshed.getLong("expires_in") > 0, refreshed);
        done("refresh");

        System.out.println("ready");
        JSONObject draining = phone.until("server:draining", 1).get(0);
        check(draining.getLong("reconnect_in_ms") > 0, draining);
        done("drain");

        phone.until(Socket.EVENT_CONNECT, 2);
        done("reconnect");

        JSONObject third = dataOf(phone.command("message:send", message(chat, "Третье", newKey())));
        check(third.getLong("seq") == 3, third);
        List<JSONObject> created = phone.until("message:created", 3);
        check(created.get(2).getLong("id") == third.getLong("id"), created);
        done("send again");
    }

    public static void main(String[] args) throws Exception {
        try {
            travel();
            System.exit(0); // Threads of the client would keep the program running.
        } catch (Exception error) {
            error.printStackTrace();
            System.exit(1);
        }
    }
}
