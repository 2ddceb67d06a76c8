// The journey of docs/sdks.md with oapi-codegen.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/google/uuid"

	windi "windi/go-oapi-codegen/generated"
)

const (
	password = "correct horse"
	nowhere  = 999_999_999
)

var (
	ctx   = context.Background()
	token string
)

func clientOf(url string) *windi.ClientWithResponses {
	client, err := windi.NewClientWithResponses(url, windi.WithRequestEditorFn(
		func(_ context.Context, request *http.Request) error {
			if token != "" {
				request.Header.Set("Authorization", "Bearer "+token)
			}
			return nil
		}))
	check(err == nil, err)
	return client
}

// check ends the journey unless the condition holds.
func check(holds bool, found any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "%+v\n", found)
		os.Exit(1)
	}
}

// parsed is the answer with the wanted status; any other ends the journey.
func parsed[T any](answer *T, err error, body []byte) T {
	check(err == nil, err)
	check(answer != nil, string(body))
	return *answer
}

func done(step string) { fmt.Println("ok", step) }

func register(api *windi.ClientWithResponses, name, email string) int64 {
	answer, err := api.RegisterWithResponse(ctx, windi.Register{
		Name: name, Email: email, Password: password,
	})
	return parsed(answer.JSON201, err, answer.Body).Id
}

func main() {
	api := clientOf(os.Getenv("WINDI_URL"))
	tomorrow := clientOf(os.Getenv("WINDI_TOMORROW_URL"))
	email, friendEmail := "ada-"+uuid.NewString()+"@example.org", "grace-"+uuid.NewString()+"@example.org"

	grace := register(api, "Grace Hopper", friendEmail)
	ada := register(api, "Ada Lovelace", email)
	done("register")

	secret := password
	session, err := api.LoginWithFormdataBodyWithResponse(ctx, windi.Grant{Username: &email, Password: &secret})
	tokens := parsed(session.JSON200, err, session.Body)
	token = tokens.AccessToken
	done("login")

	me, err := api.GetMeWithResponse(ctx)
	check(parsed(me.JSON200, err, me.Body).Id == ada, me)
	done("me")

	found, err := api.SearchUsersWithResponse(ctx, &windi.SearchUsersParams{Query: friendEmail})
	users := parsed(found.JSON200, err, found.Body)
	check(len(users) == 1 && users[0].Id == grace, users)
	done("find a user")

	var private windi.CreateChat
	check(private.FromCreatePrivateChat(windi.CreatePrivateChat{UserId: grace}) == nil, private)
	opened, err := api.CreateChatWithResponse(ctx, private)
	chat := parsed(opened.JSON201, err, opened.Body)
	check(chat.LastMessage == nil, chat)
	done("private chat")

	key := uuid.NewString()
	sent := windi.SendMessage{ChatId: chat.Id, Text: "Привет!", ClientMessageId: &key}
	first, err := api.SendMessageWithResponse(ctx, nil, sent)
	message := parsed(first.JSON201, err, first.Body)
	done("send")

	again, err := api.SendMessageWithResponse(ctx, nil, sent)
	check(parsed(again.JSON200, err, again.Body).Id == message.Id, again)
	check(again.Headers200.IdempotentReplayed != nil && *again.Headers200.IdempotentReplayed == "true", again.Headers200)
	done("replay")

	sent.Text = "Other"
	other, err := api.SendMessageWithResponse(ctx, nil, sent)
	problem := parsed(other.ApplicationproblemJSON409, err, other.Body)
	check(problem.Code == "client_message_id_conflict", problem)
	done("conflict")

	history, err := api.GetHistoryWithResponse(ctx, chat.Id, nil)
	messages := parsed(history.JSON200, err, history.Body)
	check(len(messages) == 1 && *messages[0].Text == "Привет!", messages)
	check(*history.Headers200.XTotalCount == 1, history.Headers200)
	done("history")

	receipt, err := api.ReadMessageWithResponse(ctx, message.Id)
	check(parsed(receipt.JSON200, err, receipt.Body).MessageId == message.Id, receipt)
	done("read")

	created, err := api.CreateGroupWithResponse(ctx, windi.CreateGroup{Name: "Engines"})
	group := parsed(created.JSON201, err, created.Body)
	done("group")

	member, err := api.AddMemberWithResponse(ctx, group.Id, grace)
	check(parsed(member.JSON200, err, member.Body).Role == windi.RoleMember, member)
	done("add member")

	removed, err := api.RemoveMemberWithResponse(ctx, group.Id, grace)
	check(err == nil && removed.StatusCode() == http.StatusNoContent, removed)
	done("remove member")

	edited, err := api.EditMessageWithResponse(ctx, message.Id, windi.EditMessage{Text: "Hello"})
	edit := parsed(edited.JSON200, err, edited.Body)
	check(*edit.Text == "Hello" && edit.EditedAt != nil, edit)
	done("edit")

	deleted, err := api.DeleteMessageWithResponse(ctx, message.Id)
	check(parsed(deleted.JSON200, err, deleted.Body).Text == nil, deleted)
	done("delete")

	cursors := map[string]windi.SyncCursor{strconv.FormatInt(chat.Id, 10): {Seq: 1, ChangeSeq: 0}}
	synced, err := api.SyncWithResponse(ctx, windi.SyncRequest{Cursors: cursors})
	check(hasDeletion(parsed(synced.JSON200, err, synced.Body), chat.Id), string(synced.Body))
	done("sync")

	renewal := uuid.NewString()
	renewed, err := api.RefreshWithResponse(ctx, windi.Refresh{
		RefreshToken: tokens.RefreshToken, ClientRefreshId: &renewal,
	})
	token = parsed(renewed.JSON200, err, renewed.Body).AccessToken
	done("refresh")

	missing, err := api.GetChatWithResponse(ctx, nowhere)
	check(parsed(missing.ApplicationproblemJSON404, err, missing.Body).Code == "chat_not_found", missing)
	done("typed error")

	unknown, err := tomorrow.GetChatWithResponse(ctx, nowhere)
	check(parsed(unknown.ApplicationproblemJSON404, err, unknown.Body).Code == "code_of_tomorrow", unknown)
	done("unknown code")

	me, err = tomorrow.GetMeWithResponse(ctx)
	check(parsed(me.JSON200, err, me.Body).Id == ada, me)
	done("unknown field")
}

// hasDeletion tells whether the news of a chat begin with a deleted message.
func hasDeletion(news windi.News, chat int64) bool {
	for _, item := range news.Chats {
		if item.Id == chat {
			return len(item.Messages) == 1 && item.Messages[0].DeletedAt != nil
		}
	}
	return false
}
