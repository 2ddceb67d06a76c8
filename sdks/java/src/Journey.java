import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import windi.api.AuthApi;
import windi.api.ChatsApi;
import windi.api.GroupsApi;
import windi.api.MessagesApi;
import windi.api.UsersApi;
import windi.client.ApiClient;
import windi.client.ApiException;
import windi.client.ApiResponse;
import windi.model.Chat;
import windi.model.CreateChat;
import windi.model.CreateGroup;
import windi.model.CreatePrivateChat;
import windi.model.EditMessage;
import windi.model.Message;
import windi.model.News;
import windi.model.Problem;
import windi.model.Refresh;
import windi.model.Register;
import windi.model.Role;
import windi.model.SendMessage;
import windi.model.SyncCursor;
import windi.model.SyncRequest;
import windi.model.Tokens;
import windi.model.User;

/** The journey of docs/sdks.md with openapi-generator's `java` and its library `native`: java.net.http as it comes. */
final class Journey {
    private static final String PASSWORD = "correct horse";
    private static final long NOWHERE = 999_999_999;

    private static String token;

    private Journey() {}

    private interface Call {
        void run() throws ApiException;
    }

    private static ApiClient clientOf(String url) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(url);
        client.setRequestInterceptor(request -> {
            if (token != null) {
                request.header("Authorization", "Bearer " + token);
            }
        });
        return client;
    }

    private static void check(boolean holds, Object found) {
        if (!holds) {
            throw new IllegalStateException(String.valueOf(found));
        }
    }

    /** Checks that a call is refused. The problem is the text of the exception's body. */
    private static void checkRefused(int status, String code, Call call) throws JsonProcessingException {
        try {
            call.run();
        } catch (ApiException error) {
            Problem problem =
                    ApiClient.createDefaultObjectMapper().readValue(error.getResponseBody(), Problem.class);
            check(error.getCode() == status && problem.getCode().equals(code), problem);
            return;
        }
        throw new IllegalStateException("not refused");
    }

    private static void done(String step) {
        System.out.println("ok " + step);
    }

    public static void main(String[] args) throws ApiException, JsonProcessingException {
        ApiClient client = clientOf(System.getenv("WINDI_URL"));
        ApiClient tomorrow = clientOf(System.getenv("WINDI_TOMORROW_URL"));
        AuthApi auth = new AuthApi(client);
        ChatsApi chats = new ChatsApi(client);
        GroupsApi groups = new GroupsApi(client);
        MessagesApi messages = new MessagesApi(client);
        String email = "ada-" + UUID.randomUUID() + "@example.org";
        String friendEmail = "grace-" + UUID.randomUUID() + "@example.org";

        Register friend = new Register().name("Grace Hopper").email(friendEmail).password(PASSWORD);
        long grace = auth.register(friend).getId();
        long ada = auth.register(new Register().name("Ada Lovelace").email(email).password(PASSWORD)).getId();
        done("register");

        Tokens tokens = auth.login(email, null, PASSWORD, null, null, null, null, null, null);
        token = tokens.getAccessToken();
        done("login");

        check(auth.getMe().getId() == ada, ada);
        done("me");

        List<User> users = new UsersApi(client).searchUsers(friendEmail, null, null);
        check(users.size() == 1 && users.get(0).getId() == grace, users);
        done("find a user");

        CreatePrivateChat body = new CreatePrivateChat().type(CreatePrivateChat.TypeEnum.PRIVATE).userId(grace);
        Chat chat = chats.createChat(new CreateChat(body));
        check(chat.getLastMessage() == null, chat);
        done("private chat");

        SendMessage sent = new SendMessage()
                .chatId(chat.getId()).text("Привет!").clientMessageId(UUID.randomUUID().toString());
        ApiResponse<Message> first = messages.sendMessageWithHttpInfo(sent, null);
        check(first.getStatusCode() == 201, first.getStatusCode());
        long message = first.getData().getId();
        done("send");

        ApiResponse<Message> again = messages.sendMessageWithHttpInfo(sent, null);
        check(again.getStatusCode() == 200 && again.getData().getId() == message, again.getData());
        check(headerOf(again, "idempotent-replayed").equals("true"), again.getHeaders());
        done("replay");

        SendMessage other = new SendMessage()
                .chatId(chat.getId()).text("Other").clientMessageId(sent.getClientMessageId());
        checkRefused(409, "client_message_id_conflict", () -> messages.sendMessage(other, null));
        done("conflict");

        ApiResponse<List<Message>> history =
                messages.getHistoryWithHttpInfo(chat.getId(), null, null, null, null, null);
        check(history.getData().size() == 1, history.getData());
        check("Привет!".equals(history.getData().get(0).getText()), history.getData());
        check(headerOf(history, "x-total-count").equals("1"), history.getHeaders());
        done("history");

        check(messages.readMessage(message).getMessageId() == message, message);
        done("read");

        long group = groups.createGroup(new CreateGroup().name("Engines")).getId();
        done("group");

        check(groups.addMember(group, grace).getRole() == Role.MEMBER, group);
        done("add member");

        groups.removeMember(group, grace);
        done("remove member");

        Message edited = messages.editMessage(message, new EditMessage().text("Hello"));
        check("Hello".equals(edited.getText()) && edited.getEditedAt() != null, edited);
        done("edit");

        check(messages.deleteMessage(message).getText() == null, message);
        done("delete");

        SyncCursor cursor = new SyncCursor().seq(1L).changeSeq(0L);
        News news = messages.sync(new SyncRequest().cursors(Map.of(chat.getId().toString(), cursor)));
        check(news.getChats().stream()
                .anyMatch(item -> item.getId().equals(chat.getId())
                        && item.getMessages().get(0).getDeletedAt() != null), news);
        done("sync");

        Refresh renewal = new Refresh()
                .refreshToken(tokens.getRefreshToken()).clientRefreshId(UUID.randomUUID().toString());
        token = auth.refresh(renewal).getAccessToken();
        done("refresh");

        checkRefused(404, "chat_not_found", () -> chats.getChat(NOWHERE));
        done("typed error");

        checkRefused(404, "code_of_tomorrow", () -> new ChatsApi(tomorrow).getChat(NOWHERE));
        done("unknown code");

        check(new AuthApi(tomorrow).getMe().getId() == ada, ada);
        done("unknown field");
    }

    private static String headerOf(ApiResponse<?> response, String name) {
        return response.getHeaders().getOrDefault(name, List.of("")).get(0);
    }
}
